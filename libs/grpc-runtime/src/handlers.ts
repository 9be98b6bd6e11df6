import type {
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
} from '@grpc/grpc-js';
import type { Logger } from '@a2sf/observability';

/** What a handler knows of its call. */
export interface CallContext {
  /**
   * Aborted when nobody waits for the answer any more; its reason is an A2sfError: DEADLINE_EXCEEDED, CANCELLED, or
   * UNAVAILABLE at the end of a drain. The call is already answered then; a handler only has to stop its work.
   */
  readonly signal: AbortSignal;
  /** Aborted when the server begins to stop: a stream without end of its own ends now. */
  readonly draining: AbortSignal;
  /** Milliseconds the call may take, from its start: the client's deadline or the server's default. */
  readonly deadlineMs: number;
  /** The client's `x-request-id`, or one of our own. */
  readonly requestId: string;
  /** Whom a fair server counts the call to: the client's `x-a2sf-client`, or its connection. */
  readonly client: string;
  /** Logs with the request's id and the method's name. */
  readonly log: Logger;
}

export type Unary<Req, Res> = (request: Req, call: CallContext) => Promise<Res>;
export type ServerStream<Req, Res> = (request: Req, call: CallContext) => AsyncIterable<Res>;
export type ClientStream<Req, Res> = (requests: AsyncIterable<Req>, call: CallContext) => Promise<Res>;

/** A handler of any method. */
export type AnyHandler = Unary<never, unknown> | ServerStream<never, unknown> | ClientStream<never, unknown>;

type HandlerLike<F> =
  F extends handleUnaryCall<infer Q, infer R>
    ? Unary<Q, R>
    : F extends handleServerStreamingCall<infer Q, infer R>
      ? ServerStream<Q, R>
      : F extends handleClientStreamingCall<infer Q, infer R>
        ? ClientStream<Q, R>
        : never;

/** Our handlers of a service, typed by its generated `XServiceHandlers`: one per method, by its PascalCase name. */
export type HandlersOf<H> = {
  readonly [K in keyof H as string extends K ? never : number extends K ? never : K]: HandlerLike<H[K]>;
};

/** A service: its definition from the contract, and a handler for each of its methods. */
export interface ServiceSpec {
  readonly definition: ServiceDefinition;
  readonly handlers: Readonly<Record<string, AnyHandler>>;
}

/** A service whose handlers are checked against the contract: `service<RewardServiceHandlers>(definition, {...})`. */
export function service<H>(definition: ServiceDefinition, handlers: HandlersOf<H>): ServiceSpec {
  return { definition, handlers: handlers as Readonly<Record<string, AnyHandler>> };
}

export type AnyServerCall =
  ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown> | ServerReadableStream<unknown, unknown>;
