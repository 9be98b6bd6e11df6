const firstMs = 100;
const mostMs = 5000;

/** Pauses between attempts that fail: 100 ms, doubled up to 5 s, each cut by a random part of up to a half. */
export class Backoff {
  readonly #random: () => number;
  #ms = firstMs;

  /** `random`: numbers in [0, 1). */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Milliseconds to wait now; the next pause is longer. */
  next(): number {
    const ms = this.#ms * (1 - this.#random() / 2);
    this.#ms = Math.min(2 * this.#ms, mostMs);
    return ms;
  }

  /** An attempt went well. */
  reset(): void {
    this.#ms = firstMs;
  }
}
