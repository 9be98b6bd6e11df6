import { parentPort, workerData } from 'node:worker_threads';
import { isA2sfError, type ErrorCode } from '@a2sf/errors';
import type { HyperParameters } from '@a2sf/run-store';
import { Learner } from './learner.js';

/** Names of the learner's methods. */
export type Method = 'select' | 'update' | 'exportCheckpoint' | 'importCheckpoint' | 'describe';

/** One call of the learner. */
export interface WorkerRequest {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

/** An error as plain data: ours with its code, or another with its stack. */
export type PlainError =
  | { readonly code: ErrorCode; readonly message: string; readonly field: string | undefined; readonly reason: string }
  | { readonly code: undefined; readonly message: string; readonly stack: string };

/** The result of one call. */
export type WorkerResponse =
  { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: PlainError };

function plainError(error: unknown): PlainError {
  if (isA2sfError(error)) {
    const { code, message, field, reason } = error;
    return { code, message, field, reason };
  }
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  return { code: undefined, message, stack };
}

/** The learner does its calls in the order they come, one at a time. */
function serveLearner(learner: Learner, port: NonNullable<typeof parentPort>): void {
  port.on('message', ({ id, method, args }: WorkerRequest) => {
    let response: WorkerResponse;
    try {
      response = {
        id,
        result: (learner[method] as (...args: readonly unknown[]) => unknown).apply(learner, [...args]),
      };
    } catch (error) {
      response = { id, error: plainError(error) };
    }
    const bytes = 'result' in response && response.result instanceof Uint8Array ? [response.result.buffer] : [];
    port.postMessage(response, bytes as ArrayBuffer[]);
  });
}

if (parentPort !== null) serveLearner(new Learner(workerData as Partial<HyperParameters>), parentPort);
