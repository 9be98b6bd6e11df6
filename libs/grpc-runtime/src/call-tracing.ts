import { type Client, type Metadata, status as Status } from '@grpc/grpc-js';
import { type A2sfError, isA2sfError } from '@a2sf/errors';
import type { CallOutcome, TraceCarrier } from '@a2sf/observability';

/** The metadata of a call as the place where its trace is written: `traceparent` and `tracestate` of W3C Trace Context. */
export function traceCarrier(metadata: Metadata): TraceCarrier {
  return {
    get: (name) => metadata.get(name)[0]?.toString(),
    set: (name, value) => metadata.set(name, value),
  };
}

/** `/package.Service/Method` of a client's method. */
export function pathOf(client: Client, method: PropertyKey): string {
  const { path } = (client as unknown as Record<PropertyKey, { readonly path?: string }>)[method] ?? {};
  return path ?? `//${String(method)}`;
}

/** Statuses that are a server's own failure; the others are the client's (OpenTelemetry, conventions for gRPC spans). */
const serverFailures: ReadonlySet<string> = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** How a served call ended. */
export function servedOutcome(name: string, refusal: A2sfError): CallOutcome {
  const code = Status[name as keyof typeof Status] ?? Status.UNKNOWN;
  const reason = code === Status.OK ? undefined : refusal.reason;
  return { code, name, failed: serverFailures.has(name), reason };
}

/** The end of a stream whose reader had enough: cancelled, and nothing is wrong. */
export const leftEarly = Symbol('left early');

/** How a call that was made ended: undefined is success. */
export function madeOutcome(error: unknown): CallOutcome {
  if (error === undefined) return { code: Status.OK, name: 'OK', failed: false };
  if (error === leftEarly) return { code: Status.CANCELLED, name: 'CANCELLED', failed: false };
  const name = isA2sfError(error) ? error.code : 'UNKNOWN';
  const reason = isA2sfError(error) ? error.reason : undefined;
  return { code: Status[name], name, failed: true, reason };
}
