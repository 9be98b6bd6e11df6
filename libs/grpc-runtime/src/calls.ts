import { once } from 'node:events';
import {
  type CallOptions as GrpcCallOptions,
  type Client,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  Metadata,
  type ServiceError,
  type requestCallback,
} from '@grpc/grpc-js';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { type CallSpan, startClientSpan } from '@a2sf/observability';
import { leftEarly, madeOutcome, pathOf, traceCarrier } from './call-tracing.js';
import { addressOf } from './channel.js';
import { type Patience, withPatience } from './patience.js';
import { errorFromService } from './status.js';

/** How long, and until when, a caller wants to wait. */
export interface CallOptions extends Patience {
  /** Of one attempt. */
  readonly timeoutMs?: number;
}

type ServerStreamMethod<Q, R> = (argument: Q, options?: GrpcCallOptions) => ClientReadableStream<R>;
type ClientStreamMethod<Q, R> = (callback: requestCallback<R>) => ClientWritableStream<Q>;

/** Names of a client's own methods of one shape. */
type Names<C, Shape> = {
  [K in Exclude<keyof C, keyof Client>]: C[K] extends Shape ? K : never;
}[Exclude<keyof C, keyof Client>];

/** Names of the unary, server-streaming and client-streaming methods of a client. */
export type UnaryName<C> = Names<C, (argument: never, callback: never) => ClientUnaryCall>;
export type ServerStreamName<C> = Names<C, (argument: never) => ClientReadableStream<unknown>>;
export type ClientStreamName<C> = Names<C, (callback: never) => ClientWritableStream<never>>;

type RequestOf<F> = F extends (argument: infer Q, callback: requestCallback<infer _R>) => ClientUnaryCall ? Q : never;
type ResponseOf<F> = F extends (argument: infer _Q, callback: requestCallback<infer R>) => ClientUnaryCall ? R : never;
type StreamedRequestOf<F> = F extends ServerStreamMethod<infer Q, infer _R> ? Q : never;
type StreamedResponseOf<F> = F extends (argument: never) => ClientReadableStream<infer R> ? R : never;
type UploadOf<F> = F extends (callback: requestCallback<infer _R>) => ClientWritableStream<infer Q> ? Q : never;
type UploadResponseOf<F> = F extends ClientStreamMethod<infer _Q, infer R> ? R : never;

/** A call with its options turned into grpc-js's, and its errors into ours. */
class Attempt {
  readonly metadata = new Metadata();
  readonly options: GrpcCallOptions;
  private readonly span: CallSpan | undefined;
  private undo: (() => void) | undefined;

  constructor(
    private readonly client: Client,
    method: PropertyKey,
    private readonly o: CallOptions,
  ) {
    if (o.signal?.aborted === true) throw aborted(o.signal);
    this.options = o.timeoutMs === undefined ? {} : { deadline: Date.now() + o.timeoutMs };
    const path = pathOf(client, method);
    const suites = !path.startsWith('/grpc.'); // health checks tell a trace nothing
    this.span = suites ? startClientSpan(path, () => addressOf(client), traceCarrier(this.metadata)) : undefined;
  }

  /** Cancels the call when the caller's signal aborts, until `done`. */
  follow(call: { cancel(): void }): void {
    const { signal } = this.o;
    // A call cancelled in the tick it was made reaches the server all the same, and its cancellation never does.
    const cancel = (): void => void setImmediate(() => call.cancel());
    signal?.addEventListener('abort', cancel, { once: true });
    this.undo = () => signal?.removeEventListener('abort', cancel);
  }

  /** @param error why the call failed, or `leftEarly`; undefined when it did not. */
  done(error?: unknown): void {
    this.undo?.();
    this.span?.end(madeOutcome(error));
  }

  error(error: unknown): unknown {
    if (this.o.signal?.aborted === true) return aborted(this.o.signal);
    if (isA2sfError(error)) return error;
    return error instanceof Error && 'code' in error && 'metadata' in error
      ? errorFromService(error as ServiceError, addressOf(this.client), this.o.timeoutMs)
      : error;
  }
}

function aborted(signal: AbortSignal): A2sfError {
  const reason: unknown = signal.reason;
  return isA2sfError(reason) ? reason : new A2sfError('CANCELLED', 'the call was cancelled', { cause: reason });
}

/** The client's method by name, ready to be called with any arguments. */
function methodOf(client: Client, name: PropertyKey): (...given: unknown[]) => unknown {
  const method = (client as unknown as Record<PropertyKey, unknown>)[name];
  if (typeof method !== 'function') throw new TypeError(`the client has no method ${String(name)}`);
  return (...given) => method.apply(client, given) as unknown;
}

/**
 * One request, one response. A refusal comes as A2sfError with the server's code, reason and field; a peer that cannot be
 * reached as UNAVAILABLE `peer not reachable at ADDRESS`; an aborted signal as its reason.
 */
export function callUnary<C extends Client, M extends UnaryName<C>>(
  client: C,
  method: M,
  request: RequestOf<C[M]>,
  o: CallOptions = {},
): Promise<ResponseOf<C[M]>> {
  return withPatience(() => attemptUnary(client, method, request, o), o);
}

function attemptUnary<C extends Client, M extends UnaryName<C>>(
  client: C,
  method: M,
  request: RequestOf<C[M]>,
  o: CallOptions,
): Promise<ResponseOf<C[M]>> {
  return new Promise((resolve, reject) => {
    const attempt = new Attempt(client, method, o);
    const answered: requestCallback<ResponseOf<C[M]>> = (refused, response) => {
      const error = refused ? attempt.error(refused) : undefined;
      attempt.done(error);
      if (refused) reject(error);
      else resolve(response!);
    };
    const call = methodOf(client, method)(request, attempt.metadata, attempt.options, answered);
    attempt.follow(call as ClientUnaryCall);
  });
}

/**
 * One request, many responses. The call starts with the first `next()` and is cancelled when the loop is left. Patience ends
 * with the first response: what came cannot be taken back.
 */
export async function* callServerStream<C extends Client, M extends ServerStreamName<C>>(
  client: C,
  method: M,
  request: StreamedRequestOf<C[M]>,
  o: CallOptions = {},
): AsyncGenerator<StreamedResponseOf<C[M]>, void, undefined> {
  const { stream, first } = await withPatience(async () => {
    const stream = attemptServerStream(client, method, request, o);
    return { stream, first: await stream.next() };
  }, o);
  if (first.done === true) return;
  try {
    yield first.value;
    yield* stream;
  } finally {
    await stream.return();
  }
}

async function* attemptServerStream<C extends Client, M extends ServerStreamName<C>>(
  client: C,
  method: M,
  request: StreamedRequestOf<C[M]>,
  o: CallOptions,
): AsyncGenerator<StreamedResponseOf<C[M]>, void, undefined> {
  const attempt = new Attempt(client, method, o);
  let outcome: unknown = leftEarly;
  const started = methodOf(client, method)(request, attempt.metadata, attempt.options);
  const call = started as ClientReadableStream<StreamedResponseOf<C[M]>>;
  attempt.follow(call);
  try {
    for await (const message of call) yield message as StreamedResponseOf<C[M]>;
    outcome = undefined;
  } catch (error) {
    outcome = attempt.error(error);
    throw outcome;
  } finally {
    attempt.done(outcome);
    call.cancel();
  }
}

/**
 * Many requests, one response. Requests are taken as the peer reads them; an error of theirs cancels the call. There is one
 * attempt: requests that were taken are gone.
 */
export async function callClientStream<C extends Client, M extends ClientStreamName<C>>(
  client: C,
  method: M,
  requests: AsyncIterable<UploadOf<C[M]>> | Iterable<UploadOf<C[M]>>,
  o: Omit<CallOptions, 'patienceMs' | 'onAway' | 'onBack'> = {},
): Promise<UploadResponseOf<C[M]>> {
  const attempt = new Attempt(client, method, o);
  let outcome: unknown;
  const ended = new AbortController();
  try {
    return await new Promise<UploadResponseOf<C[M]>>((resolve, reject) => {
      const answered: requestCallback<UploadResponseOf<C[M]>> = (error, response) => {
        ended.abort();
        if (error) reject(error);
        else resolve(response!);
      };
      const call = methodOf(client, method)(
        attempt.metadata,
        attempt.options,
        answered,
      ) as ClientWritableStream<unknown>;
      attempt.follow(call);
      // Told by the callback as well.
      call.on('error', () => {});
      // An answer before the last request ends the call; what the requests do after it is of no interest.
      send(call, requests, ended.signal).catch((error: unknown) => {
        reject(error);
        call.cancel();
      });
    });
  } catch (error) {
    outcome = attempt.error(error);
    throw outcome;
  } finally {
    attempt.done(outcome);
  }
}

async function send(
  call: ClientWritableStream<unknown>,
  requests: AsyncIterable<unknown> | Iterable<unknown>,
  ended: AbortSignal,
): Promise<void> {
  for await (const request of requests) {
    if (ended.aborted) return;
    if (!call.write(request)) await once(call, 'drain', { signal: ended }).catch(() => {});
  }
  call.end();
}
