/**
 * Carries pieces from a callback to an async iteration. Its length is bounded by what the producer makes in one call
 * (here: the new tokens of one request).
 */
export class AsyncQueue<T> implements AsyncIterable<T> {
  private readonly items: T[] = [];
  private wake: (() => void) | undefined;
  private end: { readonly error: unknown } | undefined;

  push(item: T): void {
    this.items.push(item);
    this.wake?.();
  }

  /** Ends the iteration after the items pushed so far; with an error it throws there. */
  close(error?: unknown): void {
    this.end ??= { error };
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      while (this.items.length > 0) yield this.items.shift()!;
      if (this.end !== undefined) {
        if (this.end.error !== undefined) throw this.end.error;
        return;
      }
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
