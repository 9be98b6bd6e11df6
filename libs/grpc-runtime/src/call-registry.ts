import { A2sfError } from '@a2sf/errors';
import type { CallScope } from './call-scope.js';

/** The calls of a server that are in work, and whether one more may begin. */
export class CallRegistry {
  private readonly inWork = new Set<CallScope>();
  /** Calls of health and reflection: not counted against the limit, ended at the beginning of a drain. */
  private readonly auxiliary = new Set<CallScope>();
  private readonly drain = new AbortController();
  private onIdle: (() => void) | undefined;

  constructor(private readonly maxConcurrentCalls: number) {}

  /** Aborted when the server begins to stop. */
  get draining(): AbortSignal {
    return this.drain.signal;
  }

  get size(): number {
    return this.inWork.size;
  }

  /** Takes a call in. Returns why it must be refused, if it must; a refused call is released like any other. */
  enter(scope: CallScope, auxiliary: boolean): A2sfError | undefined {
    if (auxiliary) {
      this.auxiliary.add(scope);
      return undefined;
    }
    const full = this.inWork.size >= this.maxConcurrentCalls;
    this.inWork.add(scope);
    if (this.draining.aborted) return stopping();
    if (!full) return undefined;
    return new A2sfError(
      'RESOURCE_EXHAUSTED',
      `the server works on ${this.maxConcurrentCalls} calls, its limit (--max_concurrent_calls); try again later`,
      { reason: 'too-many-calls' },
    );
  }

  leave(scope: CallScope): void {
    this.inWork.delete(scope);
    this.auxiliary.delete(scope);
    if (this.inWork.size === 0) this.onIdle?.();
  }

  /** No call may begin from now on; health and reflection streams, which have no end of their own, end. */
  beginDrain(): void {
    this.drain.abort(stopping());
    for (const scope of this.auxiliary) scope.fail(stopping());
  }

  /** Ends the calls that the drain did not wait for. */
  endAll(): void {
    for (const scope of [...this.inWork, ...this.auxiliary]) scope.fail(stopping());
  }

  /** Resolves when no call is in work. */
  idle(): Promise<void> {
    if (this.inWork.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.onIdle = resolve;
    });
  }
}

function stopping(): A2sfError {
  return new A2sfError('UNAVAILABLE', 'the server is shutting down', { reason: 'shutting-down' });
}
