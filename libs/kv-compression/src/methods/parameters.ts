import { A2sfError } from '@a2sf/errors';

/** Throws INVALID_ARGUMENT naming `field` unless the value is absent or a whole number in least..most. */
export function validateWhole(value: number | undefined, least: number, most: number, field: string): void {
  if (value === undefined) return;
  if (!Number.isInteger(value) || value < least || value > most) {
    throw A2sfError.invalid(field, `must be a whole number in ${least}..${most}, got ${value}`);
  }
}
