import { A2sfError } from '@a2sf/errors';

/** Bounds how many calls of one kind are in work at once. */
export class Permits {
  readonly #limit: number;
  readonly #what: string;
  #taken = 0;

  /** `what`: the calls in words, for the error. */
  constructor(limit: number, what: string) {
    this.#limit = limit;
    this.#what = what;
  }

  /** Takes a permit; the function gives it back. Throws RESOURCE_EXHAUSTED when all are taken. */
  take(): () => void {
    if (this.#taken >= this.#limit) {
      const message = `${this.#limit} ${this.#what} at once is the limit; try again later`;
      throw new A2sfError('RESOURCE_EXHAUSTED', message, { reason: 'too-many-calls' });
    }
    this.#taken++;
    let held = true;
    return () => {
      if (held) this.#taken--;
      held = false;
    };
  }
}
