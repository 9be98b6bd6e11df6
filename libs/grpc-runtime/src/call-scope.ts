import { randomUUID } from 'node:crypto';
import { type Metadata, status as Status } from '@grpc/grpc-js';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import type { CallSpan, Logger } from '@a2sf/observability';
import type { MethodMetrics } from './call-metrics.js';
import { servedOutcome } from './call-tracing.js';
import type { CallContext } from './handlers.js';
import { clientKeyOf } from './client-key.js';
import type { RetryHints } from './retry-hint.js';
import { type CallStatus, statusOf } from './status.js';

/** What a scope needs of the call below it. */
export interface ScopeOptions {
  readonly method: string;
  readonly metrics: MethodMetrics;
  readonly log: Logger;
  readonly draining: AbortSignal;
  readonly hints: RetryHints;
  /** Address and port of the other end. */
  readonly peer: string;
  /** Sends a status down to the wire; called once at most. */
  readonly send: (status: CallStatus) => void;
  /** Called once, when the status is sent and the handler has ended. */
  readonly onReleased: (scope: CallScope) => void;
}

function requestIdOf(metadata: Metadata): string {
  const given = String(metadata.get('x-request-id')[0] ?? '');
  return /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

/** One call from its start to its one status; what comes after the status is ignored. */
export class CallScope {
  readonly method: string;
  requestId: string = randomUUID();
  /** A status is still owed. */
  open = true;
  private handlerRuns = false;
  private released = false;
  private deadlineMs = 0;
  private client = '';
  private span: CallSpan | undefined;
  private readonly controller = new AbortController();
  private readonly startedAt = performance.now();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly o: ScopeOptions) {
    this.method = o.method;
    o.metrics.started();
    o.metrics.inFlight(1);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Notes what the client sent ahead of its request. `span` ends with the call, and is the parent of what its handler does. */
  begin(metadata: Metadata, deadlineMs: number, span?: CallSpan): void {
    this.span = span;
    this.requestId = requestIdOf(metadata);
    this.deadlineMs = deadlineMs;
    this.client = clientKeyOf(metadata, this.o.peer);
  }

  /** Fails the call with an error unless it ends, or the returned function is called, before. */
  failAfter(ms: number, error: () => A2sfError): () => void {
    const timer = setTimeout(() => this.fail(error()), Math.min(ms, 2_147_483_647));
    timer.unref();
    this.timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.timers.delete(timer);
    };
  }

  /**
   * Runs a handler, unless the call ended before it could begin: nothing would tell it to stop. Its errors become the
   * call's status; those after the end are only logged.
   */
  run(work: (context: CallContext) => Promise<void>): void {
    if (!this.open) return;
    const log = this.o.log.child({ requestId: this.requestId, method: this.method });
    const { signal, deadlineMs, requestId, client } = this;
    this.handlerRuns = true;
    const context = { signal, draining: this.o.draining, deadlineMs, requestId, client, log };
    this.within(() => Promise.resolve(context).then(work))
      .catch((error: unknown) => {
        if (this.open) this.fail(error);
        else if (!signal.aborted || !isA2sfError(error))
          log.debug({ err: error }, 'handler failed after its call ended');
      })
      .finally(() => {
        this.handlerRuns = false;
        this.release();
      });
  }

  /** Ends the call with an error. */
  fail(error: unknown): void {
    if (!this.open) return;
    if (!isA2sfError(error) || error.code === 'INTERNAL') {
      this.within(() =>
        this.o.log.error({ err: error, requestId: this.requestId, method: this.method }, 'call failed'),
      );
    }
    const refusal = isA2sfError(error) ? error : undefined;
    const pushbackMs = refusal && this.o.hints.of(this.method, refusal);
    this.settle(statusOf(error, this.requestId, pushbackMs), refusal);
  }

  /** Ends the call with a status. */
  settle(status: CallStatus, reason?: A2sfError): void {
    if (!this.open) return;
    this.end(Status[status.code] ?? 'UNKNOWN', reason ?? new A2sfError('CANCELLED', 'the call has ended'));
    this.o.send(status);
    this.release();
  }

  /** The client went away: nothing can be sent any more. */
  cancelled(): void {
    if (!this.open) return;
    this.end('CANCELLED', new A2sfError('CANCELLED', 'the client cancelled the call'));
    this.release();
  }

  private end(code: string, reason: A2sfError): void {
    this.open = false;
    for (const timer of this.timers) clearTimeout(timer);
    const seconds = (performance.now() - this.startedAt) / 1000;
    this.o.metrics.handled(code, seconds);
    if (code === 'OK') this.o.hints.observe(this.method, 1000 * seconds);
    this.within(() =>
      this.o.log.debug({ requestId: this.requestId, method: this.method, code, seconds }, 'call ended'),
    );
    this.span?.end(servedOutcome(code, reason));
    if (this.handlerRuns && code !== 'OK') this.controller.abort(reason);
  }

  private within<T>(work: () => T): T {
    return this.span === undefined ? work() : this.span.run(work);
  }

  private release(): void {
    if (this.open || this.handlerRuns || this.released) return;
    this.released = true;
    this.o.metrics.inFlight(-1);
    this.o.onReleased(this);
  }
}
