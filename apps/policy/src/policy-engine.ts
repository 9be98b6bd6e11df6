import { Worker } from 'node:worker_threads';
import { A2sfError } from '@a2sf/errors';
import type { HyperParameters } from '@a2sf/run-store';
import { defaultServing, type SelectInput, type Serving } from './choosing.js';
import type { DurableEvent, DurableOptions } from './durable-learner.js';
import type {
  EachSelected,
  Method,
  PlainError,
  PolicyCalls,
  WorkerOptions,
  WorkerRequest,
  WorkerResponse,
} from './policy-worker.js';

/** How an engine is run. */
export interface EngineOptions {
  /** The numbers that were set explicitly. */
  readonly given: Partial<HyperParameters>;
  /** How actions are chosen. Default: never uniformly, without a floor. */
  readonly serving?: Serving;
  /** Where what is learned is kept; without it, it is lost with the process. `open` is then the first call. */
  readonly state?: DurableOptions;
  /** Something happened to the kept state. */
  readonly onEvent?: (event: DurableEvent) => void;
  /** Calls that may wait or run; more are refused. Default 1024. */
  readonly maxPending?: number;
  /** The worker died by itself; every call from now on fails. */
  readonly onExit: (error: Error) => void;
}

interface Pending {
  /** Calls that its answer settles. */
  readonly calls: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Waiting extends Pending {
  readonly inputs: readonly SelectInput[];
}

/**
 * The learner in a thread of its own: while it computes, the server answers health checks, metrics and deadlines. Calls
 * begin in the order they are made, and without a kept state are done in it; a call that nobody waits for any more is done all the same.
 */
export class PolicyEngine {
  readonly #worker: Worker;
  readonly #maxPending: number;
  readonly #onEvent: (event: DurableEvent) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #waiting: Waiting[] = [];
  #isSelecting = false;
  /** Calls that wait or run. */
  #inWork = 0;
  #nextId = 0;
  #gone: Error | undefined;

  constructor({
    given,
    serving = defaultServing,
    state,
    onEvent = () => undefined,
    maxPending = 1024,
    onExit,
  }: EngineOptions) {
    this.#maxPending = maxPending;
    this.#onEvent = onEvent;
    const workerData: WorkerOptions = { given, serving, state };
    this.#worker = new Worker(new URL('./policy-worker.js', import.meta.url), { workerData, name: 'policy' });
    this.#worker.on('message', (response: WorkerResponse) => this.#settle(response));
    const lose = (error: Error): void => {
      if (this.#gone !== undefined) return;
      this.#fail(error);
      onExit(error);
    };
    this.#worker.on('error', lose);
    this.#worker.on('exit', (code) => lose(new Error(`the policy worker ended with code ${code}`)));
  }

  /**
   * Calls a method of the learner; bytes that fill their buffer move to it. Choices that are asked for while others are
   * made go to the worker together. Throws RESOURCE_EXHAUSTED when too many calls wait, UNAVAILABLE when it is stopped.
   */
  call<M extends Method>(method: M, ...args: Parameters<PolicyCalls[M]>): Promise<ReturnType<PolicyCalls[M]>> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) throw this.#gone;
      if (this.#inWork >= this.#maxPending) {
        const message = `the policy works on ${this.#maxPending} calls, its limit; try again later`;
        throw new A2sfError('RESOURCE_EXHAUSTED', message, { reason: 'queue-full' });
      }
      this.#inWork++;
      const pending: Pending = {
        calls: 1,
        resolve: (result) => resolve(result as ReturnType<PolicyCalls[M]>),
        reject,
      };
      if (method === 'select') {
        this.#waiting.push({ ...pending, inputs: args[0] as readonly SelectInput[] });
        if (!this.#isSelecting) this.#sendSelects();
      } else {
        this.#sendSelects(); // those that came before go before
        this.#post(method, args, pending);
      }
    });
  }

  /** Ends the worker; calls that wait fail with UNAVAILABLE. Safe to call twice. */
  async dispose(): Promise<void> {
    this.#fail(new A2sfError('UNAVAILABLE', 'the server is shutting down', { reason: 'shutting-down' }));
    await this.#worker.terminate();
  }

  #post(method: Method, args: readonly unknown[], pending: Pending): void {
    const request: WorkerRequest = { id: this.#nextId++, method, args };
    this.#pending.set(request.id, pending);
    this.#worker.postMessage(request, wholeBuffers(args));
  }

  /** What waits goes to the worker; the next ones wait for its answer. */
  #sendSelects(): void {
    const calls = this.#waiting.splice(0);
    if (calls.length === 0) return;
    this.#isSelecting = true;
    const done = (settle: (call: Waiting, i: number) => void): void => {
      this.#isSelecting = false;
      this.#sendSelects();
      for (const [i, call] of calls.entries()) settle(call, i);
    };
    this.#post('selectEach', [calls.map(({ inputs }) => inputs)], {
      calls: calls.length,
      resolve: (result) => {
        const outcomes = result as readonly EachSelected[];
        done(({ resolve, reject }, i) => {
          const outcome = outcomes[i]!;
          if ('error' in outcome) reject(errorOf(outcome.error));
          else resolve(outcome.selections);
        });
      },
      reject: (error) => done(({ reject }) => reject(error)),
    });
  }

  #settle(response: WorkerResponse): void {
    if ('event' in response) return this.#onEvent(response.event);
    const pending = this.#pending.get(response.id);
    if (pending === undefined) return;
    this.#pending.delete(response.id);
    this.#inWork -= pending.calls;
    if ('error' in response) pending.reject(errorOf(response.error));
    else pending.resolve(response.result);
  }

  #fail(error: Error): void {
    this.#gone ??= error;
    const failed = [...this.#waiting.splice(0), ...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of failed) reject(this.#gone);
  }
}

function wholeBuffers(args: readonly unknown[]): ArrayBuffer[] {
  return args.flatMap((arg) =>
    arg instanceof Uint8Array && arg.buffer instanceof ArrayBuffer && arg.byteLength === arg.buffer.byteLength
      ? [arg.buffer]
      : [],
  );
}

function errorOf(plain: PlainError): Error {
  if (plain.code === undefined) {
    const error = new Error(plain.message);
    error.stack = plain.stack;
    return error;
  }
  const { code, message, field, reason } = plain;
  return new A2sfError(code, message, { reason, ...(field === undefined ? {} : { field }) });
}
