import { cacheBytes, KvCache, type CacheShape } from './kv-cache.js';

/** A larger buffer than this is given back after use: keeping it saves some milliseconds of page faults only. */
const keptBytes = 256 * 2 ** 20;

/** Keys and values of the one prompt that is being read; prompts wait for it in line. */
export class PrefillBuffer {
  private last: Promise<unknown> = Promise.resolve();
  private cache: KvCache | undefined;

  constructor(private readonly shape: CacheShape) {}

  /** Runs `work` with an empty cache for n keys once all work before it is done. */
  use<T>(n: number, work: (cache: KvCache) => Promise<T>): Promise<T> {
    const turn = this.last.then(() => this.run(n, work));
    this.last = turn.catch(() => {});
    return turn;
  }

  private async run<T>(n: number, work: (cache: KvCache) => Promise<T>): Promise<T> {
    if (this.cache === undefined || this.cache.capacity < n) this.cache = new KvCache(this.shape, 1, n);
    this.cache.clear();
    try {
      return await work(this.cache);
    } finally {
      if (cacheBytes(this.shape, this.cache.capacity) > keptBytes) this.cache = undefined;
    }
  }
}
