import type { KvCache } from './kv-cache.js';

/**
 * Memory of caches that are no longer used, for the next ones: a pool of slots that ends and one that begins exchange
 * theirs, whatever their capacities, so that what is held is the most that was ever in use at a time, and not the most of
 * every capacity.
 */
export class SpareCaches {
  private readonly caches: KvCache[] = [];

  /** Bytes held. */
  get bytes(): number {
    return this.caches.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * The smallest of at least `least` and at most `most` bytes. Without one the caller makes a new one, and the largest of
   * the smaller ones is let go: the new one will be given back in its place.
   */
  take(least: number, most: number): KvCache | undefined {
    const bySize = this.caches.toSorted((x, y) => x.bytes - y.bytes);
    const fit = bySize.find(({ bytes }) => bytes >= least && bytes <= most);
    const gone = fit ?? bySize.findLast(({ bytes }) => bytes < least);
    if (gone !== undefined) this.caches.splice(this.caches.indexOf(gone), 1);
    return fit;
  }

  /** Adds one. */
  give(cache: KvCache): void {
    if (cache.bytes > 0) this.caches.push(cache);
  }

  /** Lets the oldest go until the rest takes at most `bytes`. */
  limit(bytes: number): void {
    while (this.bytes > bytes) this.caches.shift();
  }
}
