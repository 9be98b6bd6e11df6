import { A2sfError } from '@a2sf/errors';

/** A JSON object whose fields are read by type. Every problem is DATA_LOSS: `<where>: <field>: must be ...`. */
export class Fields {
  readonly #record: Readonly<Record<string, unknown>>;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new A2sfError('DATA_LOSS', `${where}: must be an object`);
    }
    this.#record = value as Readonly<Record<string, unknown>>;
    this.#where = where;
  }

  names(): string[] {
    return Object.keys(this.#record);
  }

  /** True when the field is there and not null. */
  has(name: string): boolean {
    return Object.hasOwn(this.#record, name) && this.#record[name] !== null;
  }

  any(name: string): unknown {
    return Object.hasOwn(this.#record, name) ? this.#record[name] : undefined;
  }

  number(name: string): number {
    const value = this.any(name);
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#wrong(name, 'a finite number');
    return value;
  }

  /** Undefined when the field is absent or null. */
  optionalNumber(name: string): number | undefined {
    return this.has(name) ? this.number(name) : undefined;
  }

  count(name: string): number {
    const value = this.number(name);
    if (!Number.isSafeInteger(value) || value < 0) throw this.#wrong(name, 'a whole number of at least 0');
    return value;
  }

  text(name: string): string {
    const value = this.any(name);
    if (typeof value !== 'string') throw this.#wrong(name, 'a text');
    return value;
  }

  flag(name: string): boolean {
    const value = this.any(name);
    if (typeof value !== 'boolean') throw this.#wrong(name, 'true or false');
    return value;
  }

  numbers(name: string): readonly number[] {
    const value = this.any(name);
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'number' && Number.isFinite(item))) {
      throw this.#wrong(name, 'a list of finite numbers');
    }
    return value as number[];
  }

  object(name: string): Fields {
    return new Fields(this.any(name), `${this.#where}: ${name}`);
  }

  #wrong(name: string, wanted: string): A2sfError {
    return new A2sfError('DATA_LOSS', `${this.#where}: ${name}: must be ${wanted}`, { field: name });
  }
}
