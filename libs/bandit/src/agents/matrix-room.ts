import { packedLength } from '../cholesky.js';

/** Where the arrays of one matrix lie: M and L, packed; L is empty where it is not kept. */
export interface Room {
  readonly inverse: Float32Array;
  readonly sum: Float64Array;
}

/** A room of its own. */
export function ownRoom(width: number, learns = true): Room {
  const length = packedLength(width);
  return { inverse: new Float32Array(length), sum: new Float64Array(learns ? length : 0) };
}

/** Buffers above it are given back to the system as soon as they are free (M_MMAP_THRESHOLD_MAX of glibc, and some). */
const largeBytes = 34 * 2 ** 20;

/**
 * The rooms of many matrices in one buffer. Hundreds of buffers of a megabyte, freed one by one when a policy is replaced,
 * leave an allocator with holes that it keeps; one large buffer leaves nothing. Pages nobody wrote to take no memory.
 */
export class Rooms {
  readonly #width: number;
  readonly #count: number;
  readonly #learns: boolean;
  readonly #taken = new Set<number>();
  #buffer: ArrayBuffer | undefined;

  constructor(count: number, width: number, learns: boolean) {
    this.#count = count;
    this.#width = width;
    this.#learns = learns;
  }

  /** Room `index`; one of its own where that is taken. */
  take(index: number): Room {
    if (this.#taken.has(index)) return ownRoom(this.#width, this.#learns);
    this.#taken.add(index);
    const length = packedLength(this.#width);
    const sums = this.#learns ? this.#count * length : 0;
    const bytes = 8 * sums + 4 * this.#count * length;
    this.#buffer ??= new ArrayBuffer(bytes > largeBytes / 4 ? Math.max(bytes, largeBytes) : bytes);
    return {
      inverse: new Float32Array(this.#buffer, 8 * sums + 4 * index * length, length),
      sum: this.#learns ? new Float64Array(this.#buffer, 8 * index * length, length) : new Float64Array(),
    };
  }
}
