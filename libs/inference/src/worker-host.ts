import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { A2sfError } from '@a2sf/errors';
import { fromErrorData, stopMessage, type CallMessage, type WorkerMessage } from './worker-protocol.js';

export interface WorkerHostOptions {
  /**
   * Calls that may wait or run at once; one more is refused with RESOURCE_EXHAUSTED. An eighth of them (none below 8) is
   * kept for other clients: no single one may have more than the rest. Default 64.
   */
  readonly maxQueue?: number;
  /** Called once when the worker ends without having been asked to. */
  readonly onExit?: (error: A2sfError) => void;
  /** What no two workers of this process may hold at a time; a second one is refused with FAILED_PRECONDITION. */
  readonly exclusive?: string | undefined;
  /** Called with what the worker publishes about itself. */
  readonly onStatus?: (status: unknown) => void;
}

/** Places in a queue that one client cannot have. */
const placesForOthers = (maxQueue: number): number => Math.floor(maxQueue / 8);

/** What is held exclusively by a worker of this process. */
const held = new Set<string>();

/** Time that a worker has to come to the end of what it computes. */
const stopMs = 10_000;

/**
 * Megabytes for a worker's short-lived objects. Its arrays lie outside the heap and are freed with the small objects that
 * hold them: with V8's 48 many more of them pile up before that.
 */
const maxYoungGenerationSizeMb = 6;

interface PendingCall {
  readonly client: string | undefined;
  readonly cancelled: Int32Array;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onEvent: (event: unknown) => void;
}

/**
 * The main thread's end of a worker that owns a model. onnxruntime blocks the thread it runs on, so sessions live in
 * workers and this end stays free for health checks, cancellation and metrics.
 */
export class WorkerHost<Info> {
  private readonly calls = new Map<number, PendingCall>();
  private nextId = 0;
  private ended: A2sfError | undefined;
  private exited = false;
  private disposed: Promise<void> | undefined;

  private constructor(
    private readonly worker: Worker,
    private readonly options: WorkerHostOptions,
    /** What the worker told about itself. */
    readonly info: Info,
  ) {}

  /** Starts the worker and waits until it has loaded. Throws what the loading threw. */
  static async start<Data, Info>(entry: URL, data: Data, options: WorkerHostOptions = {}): Promise<WorkerHost<Info>> {
    const { exclusive } = options;
    if (exclusive !== undefined && held.has(exclusive)) {
      const message = `${exclusive} serves one model of a process at a time; start another process for the second`;
      throw new A2sfError('FAILED_PRECONDITION', message, { reason: 'device-in-use' });
    }
    const worker = new Worker(entry, { workerData: data, resourceLimits: { maxYoungGenerationSizeMb } });
    if (exclusive !== undefined) {
      held.add(exclusive);
      worker.once('exit', () => held.delete(exclusive));
    }
    const gone = (code: number): A2sfError => new A2sfError('UNAVAILABLE', `the model worker ended with code ${code}`);
    const info = await new Promise<Info>((resolve, reject) => {
      worker.once('message', (message: WorkerMessage) => {
        if (message.kind === 'ready') resolve(message.info as Info);
        else if (message.kind === 'failed') reject(fromErrorData(message.error));
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(gone(code)));
    }).catch(async (error: unknown) => {
      await worker.terminate();
      throw error;
    });
    const host = new WorkerHost<Info>(worker, options, info);
    worker.on('message', (message: WorkerMessage) => host.receive(message));
    worker.on('error', (error) => host.end(new A2sfError('UNAVAILABLE', 'the model worker failed', { cause: error })));
    worker.on('exit', (code) => {
      host.exited = true;
      host.end(gone(code));
    });
    return host;
  }

  /** Calls waiting or running. */
  get queueDepth(): number {
    return this.calls.size;
  }

  /**
   * Runs a method in the worker; `signal` stops the work at its next check and rejects at once with the signal's reason.
   * @param client whose call it is; calls without one are bounded by the queue alone.
   */
  call<Result>(
    method: string,
    params: unknown,
    signal?: AbortSignal,
    onEvent: (event: unknown) => void = () => {},
    client?: string,
  ): Promise<Result> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const full = this.fullFor(client);
    if (full !== undefined) return Promise.reject(full);
    const id = this.nextId++;
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    return new Promise<Result>((resolve, reject) => {
      const onAbort = (): void => {
        Atomics.store(cancelled, 0, 1);
        reject(signal?.reason);
      };
      const settle = (): void => {
        signal?.removeEventListener('abort', onAbort);
        this.calls.delete(id);
      };
      this.calls.set(id, {
        client,
        cancelled,
        resolve: (result) => (settle(), resolve(result)),
        reject: (error) => (settle(), reject(error)),
        onEvent,
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.worker.postMessage({
        id,
        method,
        params,
        client,
        cancelled: cancelled.buffer,
      } satisfies CallMessage);
    });
  }

  /**
   * Ends the worker; calls in flight fail with UNAVAILABLE. May be called more than once. The worker ends by itself between
   * two runs of its model: a thread that is terminated inside onnxruntime takes the process with it.
   */
  dispose(): Promise<void> {
    this.disposed ??= this.stop();
    return this.disposed;
  }

  private async stop(): Promise<void> {
    const gone = this.exited ? Promise.resolve() : once(this.worker, 'exit');
    for (const { cancelled } of this.calls.values()) Atomics.store(cancelled, 0, 1);
    this.end(new A2sfError('UNAVAILABLE', 'the model worker was stopped'), true);
    this.worker.postMessage(stopMessage);
    const patience = new AbortController();
    await Promise.race([gone, sleep(stopMs, undefined, { signal: patience.signal }).catch(() => {})]);
    patience.abort();
    await this.worker.terminate();
  }

  /** Why a client's call finds no place, if it finds none. */
  private fullFor(client: string | undefined): A2sfError | undefined {
    const limit = this.options.maxQueue ?? 64;
    const refusal = (what: string): A2sfError =>
      new A2sfError('RESOURCE_EXHAUSTED', `the queue is full: ${what}; try again later`, { reason: 'queue-full' });
    if (this.calls.size >= limit) return refusal(`${limit} calls are waiting or running`);
    if (client === undefined) return undefined;
    const share = limit - placesForOthers(limit);
    let own = 0;
    for (const call of this.calls.values()) if (call.client === client) own++;
    return own < share ? undefined : refusal(`${own} calls of this client are waiting or running, the limit of one`);
  }

  private receive(message: WorkerMessage): void {
    if (message.kind === 'ready' || message.kind === 'failed') return;
    if (message.kind === 'status') {
      this.options.onStatus?.(message.status);
      return;
    }
    const call = this.calls.get(message.id);
    if (call === undefined) return;
    if (message.kind === 'event') call.onEvent(message.event);
    else if (message.kind === 'result') call.resolve(message.result as never);
    else call.reject(fromErrorData(message.error));
  }

  private end(error: A2sfError, asked = false): void {
    if (this.ended !== undefined) return;
    this.ended = error;
    for (const call of this.calls.values()) call.reject(error);
    this.calls.clear();
    if (!asked) this.options.onExit?.(error);
  }
}
