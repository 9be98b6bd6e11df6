import { A2sfError } from '@a2sf/errors';

/**
 * Checks that models can run on a device. FAILED_PRECONDITION with the remedy: a device that this version cannot use;
 * INVALID_ARGUMENT: no device at all.
 */
export function checkDevice(device: string): void {
  if (device === 'cpu') return;
  if (/^(webgpu|cuda(:\d{1,3})?)$/.test(device)) {
    const message = `--device: models do not run on ${device} yet; use --device cpu`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'device', reason: 'device-not-available' });
  }
  throw A2sfError.invalid('--device', `${JSON.stringify(device)} is no device; use --device cpu`, 'usage');
}
