import { parentPort, workerData } from 'node:worker_threads';
import { isA2sfError, type ErrorCode } from '@a2sf/errors';
import type { HyperParameters } from '@a2sf/run-store';
import { DurableLearner, type DurableEvent, type DurableOptions, type Recovery } from './durable-learner.js';
import type { SelectInput, Selection, Serving } from './choosing.js';
import { Learner } from './learner.js';
import { OpenExports } from './open-exports.js';
import { releaseMemorySoon } from './release-memory.js';

/** What a worker is started with. */
export interface WorkerOptions {
  /** The numbers that were set explicitly. */
  readonly given: Partial<HyperParameters>;
  readonly serving: Serving;
  /** Undefined: what is learned is lost with the process. */
  readonly state: DurableOptions | undefined;
}

/** The calls of a worker: the learner's, and how it comes to its state and leaves it whole. */
export interface PolicyCalls extends Pick<
  Learner,
  | 'select'
  | 'update'
  | 'exportCheckpoint'
  | 'exportServed'
  | 'importCheckpoint'
  | 'importChallenger'
  | 'promoteChallenger'
  | 'describe'
  | 'adopt'
> {
  /** Several calls of `select`, each answered or refused by itself. */
  selectEach(calls: readonly (readonly SelectInput[])[]): EachSelected[];
  /** The number of an export, which is to be ended. */
  beginExport(iteration: number | undefined, servingOnly: boolean): number;
  /** Its next bytes, maybe none; undefined at the end. */
  exportPart(id: number): Uint8Array | undefined;
  endExport(id: number): void;
  /** The first call where a state is kept. */
  open(): Recovery;
  close(): void;
}

/** Answer of one of several calls. */
export type EachSelected = { readonly selections: Selection[] } | { readonly error: PlainError };

/** Names of the calls. */
export type Method = keyof PolicyCalls;

/** One call. */
export interface WorkerRequest {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

/** An error as plain data: ours with its code, or another with its stack. */
export type PlainError =
  | { readonly code: ErrorCode; readonly message: string; readonly field: string | undefined; readonly reason: string }
  | { readonly code: undefined; readonly message: string; readonly stack: string };

/** The result of one call, or what happened beside the calls. */
export type WorkerResponse =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: PlainError }
  | { readonly event: DurableEvent };

function plainError(error: unknown): PlainError {
  if (isA2sfError(error)) {
    const { code, message, field, reason } = error;
    return { code, message, field, reason };
  }
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  return { code: undefined, message, stack };
}

/** Calls begin in the order they come; those of a learner without a state are done at once, one at a time. */
function serveLearner({ given, serving, state }: WorkerOptions, port: NonNullable<typeof parentPort>): void {
  const learner = new Learner(given, serving);
  let target: Learner | DurableLearner = learner;
  const exports = new OpenExports();
  const post = (response: WorkerResponse, moved: ArrayBuffer[] = []): void => port.postMessage(response, moved);

  async function open(): Promise<Recovery> {
    if (state === undefined) return { snapshot: 0, replayed: 0, recordsCut: 0, warnings: [] };
    const { durable, recovery } = await DurableLearner.open(learner, state, (event) => {
      releaseMemorySoon();
      post({ event });
    });
    target = durable;
    return recovery;
  }

  function call(method: Method, args: readonly unknown[]): unknown {
    if (method === 'open') return open();
    if (method === 'adopt') return learner.adopt(...(args as Parameters<Learner['adopt']>)); // of a replica, which keeps nothing
    if (method === 'selectEach') {
      const [calls] = args as Parameters<PolicyCalls['selectEach']>;
      return target.selectEach(calls).map((each) => ('error' in each ? { error: plainError(each.error) } : each));
    }
    if (method === 'beginExport')
      return exports.begin(target.beginExport(...(args as Parameters<PolicyCalls['beginExport']>)));
    if (method === 'exportPart') return exports.part(args[0] as number);
    if (method === 'endExport') return exports.end(args[0] as number);
    if (method === 'close') return target instanceof DurableLearner ? target.close() : undefined;
    return (target[method] as (...args: readonly unknown[]) => unknown).apply(target, [...args]);
  }

  function answer(id: number, method: Method, result: unknown): void {
    post({ id, result }, result instanceof Uint8Array ? [result.buffer as ArrayBuffer] : []);
    if (heavy.has(method)) releaseMemorySoon();
  }

  port.on('message', ({ id, method, args }: WorkerRequest) => {
    const fail = (error: unknown): void => post({ id, error: plainError(error) });
    try {
      const result = call(method, args);
      if (result instanceof Promise) result.then((value: unknown) => answer(id, method, value)).catch(fail);
      else answer(id, method, result);
    } catch (error) {
      fail(error);
    }
  });
}

/** Calls that leave much behind. */
const heavy: ReadonlySet<Method> = new Set<Method>([
  'open',
  'exportCheckpoint',
  'exportServed',
  'endExport',
  'importCheckpoint',
  'importChallenger',
  'promoteChallenger',
  'adopt',
  'update',
]);

if (parentPort !== null) serveLearner(workerData as WorkerOptions, parentPort);
