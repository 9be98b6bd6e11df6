import { A2sfError } from '@a2sf/errors';

/** Reads fields of a `config.json` with checks; errors name the file and the field. */
export class ConfigReader {
  constructor(private readonly fields: Readonly<Record<string, unknown>>) {}

  /** A positive integer; `fallback` when absent or null. */
  size(name: string, fallback?: number): number {
    const value = this.fields[name] ?? fallback;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1 || value > 2 ** 24) {
      throw this.error(name, `must be an integer in 1..${2 ** 24}`);
    }
    return value;
  }

  /** A positive finite number; `fallback` when absent or null. */
  positive(name: string, fallback?: number): number {
    const value = this.fields[name] ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0)
      throw this.error(name, 'must be a positive number');
    return value;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.fields[name] ?? fallback;
    if (typeof value !== 'boolean') throw this.error(name, 'must be true or false');
    return value;
  }

  /** Refuses a field that is present with a value the family does not compute. */
  expect(name: string, supported: readonly unknown[]): void {
    const value = this.fields[name];
    if (value === undefined || value === null || supported.includes(value)) return;
    const known = ['absent', ...supported.map((v) => JSON.stringify(v))].join(', ');
    throw this.error(name, `${JSON.stringify(value)} is not supported (known: ${known})`);
  }

  raw(name: string): unknown {
    return this.fields[name];
  }

  error(name: string, problem: string): A2sfError {
    return new A2sfError('FAILED_PRECONDITION', `config.json: ${name}: ${problem}`, {
      field: name,
      reason: 'bad-model-config',
    });
  }
}
