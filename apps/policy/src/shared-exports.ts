import type { Permits } from './permits.js';

/** Bytes on loan; whoever takes them gives them back once. */
export interface Loan {
  readonly bytes: Uint8Array;
  readonly giveBack: () => void;
}

interface Entry {
  readonly bytes: Promise<Uint8Array>;
  readonly release: () => void;
  readers: number;
}

/** Encodes a version once for all who read it at the same time, as the replicas of a learner do; nothing is kept after the last. */
export class SharedExports {
  readonly #permits: Permits;
  readonly #encode: (since?: string) => Promise<Uint8Array>;
  readonly #entries = new Map<string, Entry>();

  /** `permits`: one is held for each version that is being read. */
  constructor(permits: Permits, encode: (since?: string) => Promise<Uint8Array>) {
    this.#permits = permits;
    this.#encode = encode;
  }

  /**
   * The bytes of the present policy, of which `version` is known, or of what changed in it since a revision. Throws
   * RESOURCE_EXHAUSTED without a permit.
   */
  async take(version: number, since?: string): Promise<Loan> {
    const key = `${version} ${since ?? ''}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const release = this.#permits.take();
      entry = { bytes: this.#encode(since), release, readers: 0 };
      this.#entries.set(key, entry);
    }
    entry.readers++;
    const giveBack = (): void => this.#leave(key, entry);
    try {
      return { bytes: await entry.bytes, giveBack };
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  #leave(key: string, entry: Entry): void {
    if (--entry.readers > 0) return;
    this.#entries.delete(key);
    entry.release();
  }
}
