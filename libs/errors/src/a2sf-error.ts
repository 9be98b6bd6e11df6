/** The gRPC status codes that the suite answers with. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELLED'
  | 'UNAVAILABLE'
  | 'DATA_LOSS'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'UNIMPLEMENTED'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'ABORTED'
  | 'INTERNAL';

/** What an error tells beside its code and message. */
export interface ErrorDetails {
  /** Path of the offending field, flag or file, in the contract's spelling (`experiences[3].reward`). */
  readonly field?: string;
  /** Stable machine-readable reason in lower-kebab-case (`prompt-too-long`); clients may match on it. */
  readonly reason?: string;
  /** Milliseconds after which the caller may try again; absent when nothing is known about it. */
  readonly retryAfterMs?: number;
  /** The error that led to this one; it is logged and never sent. */
  readonly cause?: unknown;
}

/**
 * The one error type of the suite. Its message is public: it names the field and the limit, and holds no prompt text,
 * no path of the server and no secret.
 */
export class A2sfError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'A2sfError';
    this.code = code;
    this.field = details.field;
    this.reason = details.reason ?? code.toLowerCase().replaceAll('_', '-');
    this.retryAfterMs = details.retryAfterMs;
  }

  /** INVALID_ARGUMENT for one field: the message reads `<field>: <problem>`. */
  static invalid(field: string, problem: string, reason?: string): A2sfError {
    return new A2sfError('INVALID_ARGUMENT', `${field}: ${problem}`, {
      field,
      ...(reason === undefined ? {} : { reason }),
    });
  }
}

/** True for errors of this type, also when two copies of this module are loaded. */
export function isA2sfError(error: unknown): error is A2sfError {
  return error instanceof Error && error.name === 'A2sfError' && 'code' in error && 'reason' in error;
}
