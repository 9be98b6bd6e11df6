import { checkDevice } from './device.js';

/** A device, and why tests do not run on it (false: they do). */
export interface TestedDevice {
  readonly device: string;
  readonly skip: string | false;
  /** Why those do not that a software adapter needs minutes for. */
  readonly skipLong: string | false;
}

const wanted = (variable: string): string | false =>
  process.env[variable] === '1' ? false : `${variable}=1 is not set`;

/** Where there is an adapter a smaller part runs unasked; `A2SF_WEBGPU=1` asks for all, `A2SF_WEBGPU=0` for none. */
async function webgpu(): Promise<TestedDevice> {
  const device = 'webgpu';
  const skipLong = wanted('A2SF_WEBGPU');
  if (skipLong === false) return { device, skip: false, skipLong };
  if (process.env['A2SF_WEBGPU'] === '0') return { device, skip: 'A2SF_WEBGPU=0 is set', skipLong };
  const skip = await checkDevice(device).then(
    () => false as const,
    (error: Error) => error.message,
  );
  return { device, skip, skipLong: skip || skipLong };
}

const cuda = wanted('A2SF_CUDA');

/** Where the tests of models run: on the CPU, and on what is there. */
export const testedDevices: readonly TestedDevice[] = [
  { device: 'cpu', skip: false, skipLong: false },
  await webgpu(),
  { device: 'cuda', skip: cuda, skipLong: cuda },
];

/** A way to run a model that gives the same texts as every other. */
export interface TestedEngine extends Omit<TestedDevice, 'device'> {
  readonly name: string;
  readonly options: { readonly device: string; readonly stepsPerRun?: number };
}

/** Every device, and the CPU with three tokens a run, as cards decode. */
export const testedEngines: readonly TestedEngine[] = [
  ...testedDevices.map(({ device, ...skips }) => ({ name: device, options: { device }, ...skips })),
  { name: 'cpu, three tokens a run', options: { device: 'cpu', stepsPerRun: 3 }, skip: false, skipLong: false },
];
