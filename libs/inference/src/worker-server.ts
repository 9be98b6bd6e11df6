import { parentPort, workerData } from 'node:worker_threads';
import { A2sfError } from '@a2sf/errors';
import { stopMessage, toErrorData, type CallMessage, type WorkerMessage } from './worker-protocol.js';

/** What a method sees of its call. */
export interface WorkerCall {
  /** Whose call it is, where that is known. */
  readonly client: string | undefined;
  /** Throws CANCELLED when the caller has given up; called between chunks and tokens. */
  readonly checkCancelled: () => void;
  /** Sends a piece of a streamed answer. */
  readonly emit: (event: unknown) => void;
}

export type WorkerMethod = (params: never, call: WorkerCall) => Promise<unknown>;

/** What a worker serves: facts about itself, and methods. Only plain data and typed arrays cross the thread border. */
export interface WorkerService {
  readonly info: unknown;
  readonly methods: Readonly<Record<string, WorkerMethod>>;
  /** True when calls may run side by side; otherwise each waits for the one before. */
  readonly concurrent?: boolean;
}

/**
 * Runs a worker thread: loads once, then serves its calls, one after the other in the order they came unless the service
 * is concurrent. A call that was given up while it waited is skipped. `publish` tells the main thread how the service is.
 */
export function serveWorker<Data>(
  load: (data: Data, publish: (status: unknown) => void) => Promise<WorkerService>,
): void {
  const port = parentPort;
  if (port === null) throw new Error('serveWorker must run in a worker thread');
  const post = (message: WorkerMessage): void => port.postMessage(message);
  let last: Promise<void> = Promise.resolve();
  load(workerData as Data, (status) => post({ kind: 'status', status })).then(
    (service) => {
      port.on('message', (message: CallMessage | typeof stopMessage) => {
        if (message === stopMessage) process.exit(); // ends this thread alone; no model runs while a message is read
        if (service.concurrent === true) void answer(service, message, post);
        else last = last.then(() => answer(service, message, post));
      });
      post({ kind: 'ready', info: service.info });
    },
    (error: unknown) => post({ kind: 'failed', error: toErrorData(error) }),
  );
}

async function answer(
  service: WorkerService,
  message: CallMessage,
  post: (message: WorkerMessage) => void,
): Promise<void> {
  const { id, method, params, client } = message;
  const flag = new Int32Array(message.cancelled);
  const checkCancelled = (): void => {
    if (Atomics.load(flag, 0) !== 0) throw new A2sfError('CANCELLED', 'the call was cancelled');
  };
  try {
    checkCancelled();
    const run = service.methods[method];
    if (run === undefined) throw new Error(`the worker has no method ${method}`);
    const emit = (event: unknown): void => post({ kind: 'event', id, event });
    post({ kind: 'result', id, result: await run(params as never, { client, checkCancelled, emit }) });
  } catch (error) {
    post({ kind: 'error', id, error: toErrorData(error) });
  }
}
