/** A version of the policy and when it came to be. */
export interface PolicyVersion {
  readonly policyVersion: number;
  readonly iteration: number;
  readonly updatedAt: Date;
}

/** Versions that wait for a slow reader; of more the oldest are dropped. */
const maxWaiting = 64;

interface Watcher {
  readonly waiting: PolicyVersion[];
  wake: () => void;
}

/** Tells watchers of each new version of the policy. */
export class VersionFeed {
  readonly #watchers = new Set<Watcher>();
  #current: PolicyVersion = { policyVersion: 0, iteration: 0, updatedAt: new Date() };

  get current(): PolicyVersion {
    return this.#current;
  }

  /** A version that is not newer than the current one is not told. */
  publish(policyVersion: number, iteration: number): void {
    if (policyVersion > this.#current.policyVersion) this.replace(policyVersion, iteration);
  }

  /** Tells a version that may be older, or another policy of the same number. */
  replace(policyVersion: number, iteration: number): void {
    this.#current = { policyVersion, iteration, updatedAt: new Date() };
    for (const watcher of this.#watchers) {
      watcher.waiting.push(this.#current);
      if (watcher.waiting.length > maxWaiting) watcher.waiting.shift();
      watcher.wake();
    }
  }

  /** The current version, then each new one, until a signal aborts. */
  async *watch(signals: readonly AbortSignal[]): AsyncGenerator<PolicyVersion, void, undefined> {
    const watcher: Watcher = { waiting: [this.#current], wake: () => undefined };
    const stop = AbortSignal.any([...signals]);
    const wake = (): void => watcher.wake();
    stop.addEventListener('abort', wake, { once: true });
    this.#watchers.add(watcher);
    try {
      while (!stop.aborted) {
        const next = watcher.waiting.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (watcher.wake = resolve));
      }
    } finally {
      this.#watchers.delete(watcher);
      stop.removeEventListener('abort', wake);
    }
  }
}
