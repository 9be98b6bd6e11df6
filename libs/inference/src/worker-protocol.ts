import { A2sfError, isA2sfError, type ErrorCode } from '@a2sf/errors';

/** Main thread -> worker: run a method. `cancelled` is one shared Int32: 1 stops the work at its next check. */
export interface CallMessage {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
  /** Whose call it is, for fairness between clients. */
  readonly client: string | undefined;
  readonly cancelled: SharedArrayBuffer;
}

/** Main thread -> worker: end once the calls have stopped. */
export const stopMessage = 'stop';

/** An error as plain data. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly field: string | undefined;
  readonly reason: string;
  readonly stack: string | undefined;
}

/** Worker -> main thread. */
export type WorkerMessage =
  | { readonly kind: 'ready'; readonly info: unknown }
  | { readonly kind: 'failed'; readonly error: ErrorData }
  | { readonly kind: 'status'; readonly status: unknown }
  | { readonly kind: 'event'; readonly id: number; readonly event: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorData };

export function toErrorData(error: unknown): ErrorData {
  if (isA2sfError(error)) {
    const { code, message, field, reason, stack } = error;
    return { code, message, field, reason, stack };
  }
  const stack = error instanceof Error ? error.stack : undefined;
  return { code: 'INTERNAL', message: String(error), field: undefined, reason: 'internal', stack };
}

/** Only the suite's own errors are public; anything else becomes the cause of an INTERNAL one, for the log. */
export function fromErrorData(data: ErrorData): A2sfError {
  if (data.code === 'INTERNAL') {
    return new A2sfError('INTERNAL', 'the model worker failed', {
      reason: 'internal',
      cause: data.stack ?? data.message,
    });
  }
  const { code, message, field, reason } = data;
  return new A2sfError(code, message, field === undefined ? { reason } : { field, reason });
}
