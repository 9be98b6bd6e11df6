import { A2sfError } from '@a2sf/errors';

const mask64 = (1n << 64n) - 1n;

/** SplitMix64 (Steele, Lea, Flood 2014): s += 0x9e3779b97f4a7c15; out = mix(s). It spreads a seed over a larger state. */
export function* splitMix64(seed: bigint): Generator<bigint, never> {
  for (let s = seed & mask64; ;) {
    s = (s + 0x9e3779b97f4a7c15n) & mask64;
    let z = s;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask64;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask64;
    yield z ^ (z >> 31n);
  }
}

const rotateLeft = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

/**
 * xoshiro128** 1.1 (Blackman, Vigna 2021; period 2^128 - 1): out = rotl(s1 * 5, 7) * 9, then the linear step on s0..s3.
 * Seeded through SplitMix64 as its authors advise. The same seed gives the same numbers on every machine.
 */
export class Random {
  readonly #s = new Int32Array(4);

  /** `seed` is a whole number; only its low 64 bits count. */
  constructor(seed: number | bigint) {
    if (typeof seed === 'number' && !Number.isSafeInteger(seed))
      throw A2sfError.invalid('seed', 'must be a whole number');
    const words = splitMix64(BigInt(seed));
    for (let i = 0; i < 4; i += 2) {
      const word = words.next().value;
      this.#s[i] = Number(word & 0xffffffffn);
      this.#s[i + 1] = Number(word >> 32n);
    }
  }

  /** Goes on where `state()` was taken. Throws INVALID_ARGUMENT unless it is 32 hexadecimal digits, not all zero. */
  static fromState(state: string): Random {
    if (!/^[0-9a-f]{32}$/.test(state) || /^0*$/.test(state)) {
      throw A2sfError.invalid('random_state', 'must be 32 hexadecimal digits, not all zero');
    }
    const random = new Random(0);
    for (let i = 0; i < 4; i++) random.#s[i] = Number.parseInt(state.slice(8 * i, 8 * i + 8), 16);
    return random;
  }

  /** The whole state as 32 hexadecimal digits, s0 first. */
  state(): string {
    return Array.from(this.#s, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  }

  /** A whole number in 0..2^32-1. */
  uint32(): number {
    const s = this.#s;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** A number in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
  }

  /** A whole number in 0..bound-1, each equally likely (rejection of the incomplete last range). bound is 1..2^32. */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32)
      throw A2sfError.invalid('bound', 'must be in 1..2^32');
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const x = this.uint32();
      if (x < limit) return x % bound;
    }
  }

  /** Puts the items into a uniformly random order, in place (Fisher-Yates). */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }
}
