import {
  Metadata,
  type ServerInterceptingCallInterface,
  type ServiceError,
  type StatusObject,
  status as Status,
} from '@grpc/grpc-js';
import { A2sfError, type ErrorCode, isA2sfError } from '@a2sf/errors';
import { pushbackKey } from './retry-hint.js';
import { tlsProblem } from './tls-problem.js';

/** A status as a call is ended with; its metadata are the trailers. */
export type CallStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

/** Trailing metadata of a refused call. */
export const reasonKey = 'a2sf-reason';
export const fieldKey = 'a2sf-field';
export const requestIdKey = 'a2sf-request-id';

const maxDetails = 1024;
const maxTrailer = 256;

/** Printable ASCII, as metadata must be. */
function headerValue(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, maxTrailer);
}

/** Text that encodeURI, which grpc-js applies to it, does not throw on: no lone surrogates, of bounded length. */
function wellFormed(text: string): string {
  return text.slice(0, maxDetails).replaceAll(/\p{Surrogate}/gu, '\uFFFD');
}

/**
 * The status a failed call is answered with; an error that is none of ours tells nothing but the request's id.
 * @param pushbackMs what the client is told about trying again, in its own trailer.
 */
export function statusOf(error: unknown, requestId: string, pushbackMs?: number): StatusObject {
  const metadata = new Metadata();
  metadata.set(requestIdKey, requestId);
  if (!isA2sfError(error)) {
    metadata.set(reasonKey, 'internal');
    return { code: Status.INTERNAL, details: `internal error, request ${requestId}`, metadata };
  }
  metadata.set(reasonKey, headerValue(error.reason));
  if (error.field !== undefined) metadata.set(fieldKey, headerValue(error.field));
  if (pushbackMs !== undefined) metadata.set(pushbackKey, String(pushbackMs));
  return { code: Status[error.code], details: wellFormed(error.message), metadata };
}

const ownCodes: ReadonlySet<string> = new Set<ErrorCode>([
  'INVALID_ARGUMENT',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'DEADLINE_EXCEEDED',
  'CANCELLED',
  'UNAVAILABLE',
  'DATA_LOSS',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'UNIMPLEMENTED',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
  'ABORTED',
  'INTERNAL',
]);

function text(metadata: Metadata | undefined, key: string): string | undefined {
  const value = metadata?.get(key)[0];
  return value === undefined ? undefined : String(value);
}

/** A server that closed the connection under a call, as one does whose grace for it is over: grpc-js calls that INTERNAL. */
const endedWithoutStatus = ({ code, details }: ServiceError): boolean =>
  code === Status.INTERNAL && details.startsWith('Received RST_STREAM with code 0 ');

/** What a failed call means to its caller: the server's own words, or which peer could not be reached. */
export function errorFromService(error: ServiceError, address: string, timeoutMs?: number): A2sfError {
  const name = endedWithoutStatus(error) ? 'UNAVAILABLE' : (Status[error.code] ?? 'UNKNOWN');
  const code = (ownCodes.has(name) ? name : 'INTERNAL') as ErrorCode;
  const reason = text(error.metadata, reasonKey);
  const field = text(error.metadata, fieldKey);
  const pushback = text(error.metadata, pushbackKey);
  if (reason === undefined && code === 'UNAVAILABLE') {
    const problem = tlsProblem(error.details);
    const why = problem === undefined ? '' : `: ${problem}`;
    return new A2sfError(code, `peer not reachable at ${address}${why}`, { reason: 'unreachable', cause: error });
  }
  if (reason === undefined && code === 'DEADLINE_EXCEEDED' && timeoutMs !== undefined) {
    return new A2sfError(code, `no answer from ${address} within ${timeoutMs} ms`, { cause: error });
  }
  return new A2sfError(code, error.details === '' ? `${name} from ${address}` : error.details, {
    cause: error,
    ...(reason === undefined ? {} : { reason }),
    ...(field === undefined ? {} : { field }),
    ...(pushback !== undefined && /^\d{1,9}$/.test(pushback) ? { retryAfterMs: Number(pushback) } : {}),
  });
}
