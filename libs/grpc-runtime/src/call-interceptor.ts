import { constants, type ServerHttp2Stream } from 'node:http2';
import {
  type Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
  status as Status,
} from '@grpc/grpc-js';
import { A2sfError } from '@a2sf/errors';
import { type Logger, startServerSpan } from '@a2sf/observability';
import type { AccessControl } from './access-control.js';
import type { CallMetrics } from './call-metrics.js';
import type { CallRegistry } from './call-registry.js';
import { callerNames } from './caller-names.js';
import { CallScope } from './call-scope.js';
import { traceCarrier } from './call-tracing.js';
import type { RetryHints } from './retry-hint.js';
import type { CallStatus } from './status.js';
import { refusalBehind } from './transport-status.js';

/** What the calls of a server share. */
export interface InterceptorOptions {
  readonly registry: CallRegistry;
  readonly metrics: CallMetrics;
  readonly hints: RetryHints;
  readonly access: AccessControl;
  readonly log: Logger;
  readonly defaultDeadlineMs: number;
  readonly bodyTimeoutMs: number;
  readonly maxMessageBytes: number;
}

/** Milliseconds (or `bodyTimeoutMs`, if less) a peer gets to read the end of its call before the stream is reset, so that none is held for ever. */
const lingerMs = 5000;

/** Services that are not the suite's: always let in, and without end of their own. */
const auxiliaryPath = /^\/grpc\./;
/** Lives as long as its client, by its nature. */
const healthWatch = '/grpc.health.v1.Health/Watch';

const scopes = new WeakMap<Metadata, CallScope>();

/** The scope of a handler's call. */
export function scopeOf(metadata: Metadata): CallScope {
  const scope = scopes.get(metadata);
  if (scope === undefined) throw new Error('the call was not intercepted');
  return scope;
}

/** The HTTP/2 stream of a call: grpc-js has no public way to it, and none to reset a stream that is done. */
function streamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream | undefined {
  return (call as { readonly stream?: ServerHttp2Stream }).stream;
}

/** Who is at the other end of a connection: read from its certificate once, not at each call. */
const namesOfConnections = new WeakMap<object, readonly string[] | undefined>();

function namesOf(call: ServerInterceptingCallInterface): readonly string[] | undefined {
  const connection = streamOf(call)?.session;
  if (connection !== undefined && namesOfConnections.has(connection)) return namesOfConnections.get(connection);
  const certificate = call.getAuthContext().sslPeerCertificate;
  const names = certificate && callerNames(certificate);
  if (connection !== undefined) namesOfConnections.set(connection, names);
  return names;
}

/**
 * Tells the peer not to send the rest of a request that is answered already (RFC 9113, 8.1: RST_STREAM with NO_ERROR after
 * the answer). Not at once: within the callback that received the request, newer versions of Node submit the reset ahead of
 * the answer, which nghttp2 then drops (docs/adr/0004).
 */
function refuseRest(stream: ServerHttp2Stream): void {
  setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
}

/**
 * Gives every call its {@link CallScope}. Every status of a call passes one place, also those that grpc-js sends by itself
 * (deadline, message over the limit): `sendStatus` of the innermost call is replaced, because grpc-js calls it there
 * directly and interceptors do not see it. Beyond that:
 * - a deadline for calls that come without one;
 * - a time limit for the request to be complete;
 * - refusal of calls from who may not make them;
 * - refusal of calls over the limit before their message is read;
 * - a reset of streams whose peer does not close its side.
 */
export function callInterceptor(o: InterceptorOptions): ServerInterceptor {
  return (method, call) => {
    const metrics = o.metrics.of(method);
    let requestComplete = false;
    let headersSent = false;
    const sendDown = call.sendStatus.bind(call);

    const send = (status: CallStatus): void => {
      sendDown(status);
      const stream = streamOf(call);
      if (stream === undefined || stream.closed) return;
      if (!requestComplete && !headersSent) refuseRest(stream);
      const timer = setTimeout(
        () => stream.close(constants.NGHTTP2_CANCEL),
        Math.min(lingerMs, o.bodyTimeoutMs),
      ).unref();
      stream.once('close', () => clearTimeout(timer));
    };
    const scope = new CallScope({
      method: method.path,
      metrics,
      log: o.log,
      draining: o.registry.draining,
      hints: o.hints,
      peer: call.getPeer(),
      send,
      onReleased: (done) => o.registry.leave(done),
    });
    call.sendStatus = (status) => {
      const refusal = refusalBehind(status, o.maxMessageBytes);
      if (refusal === undefined) scope.settle(status);
      else scope.fail(refusal);
    };

    const auxiliary = auxiliaryPath.test(method.path);
    const refusal = o.registry.enter(scope, auxiliary);
    const deadline = Number(call.getDeadline());
    const deadlineMs = Number.isFinite(deadline) ? Math.max(0, deadline - Date.now()) : o.defaultDeadlineMs;
    if (!Number.isFinite(deadline) && method.path !== healthWatch) {
      scope.failAfter(
        deadlineMs,
        () =>
          new A2sfError(
            'DEADLINE_EXCEEDED',
            `not done within ${deadlineMs} ms (--default_deadline_ms; the call came without a deadline)`,
          ),
      );
    }
    const bodyDone = method.requestStream
      ? undefined
      : scope.failAfter(o.bodyTimeoutMs, () => incompleteRequest(o.bodyTimeoutMs));

    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        scopes.set(metadata, scope);
        const span = auxiliary ? undefined : startServerSpan(method.path, traceCarrier(metadata));
        scope.begin(metadata, deadlineMs, span);
        const authorization = metadata.get('authorization')[0]?.toString();
        const unwelcome = o.access.refusal(method.path, { authorization, names: namesOf(call) });
        if (unwelcome === undefined) next(metadata);
        else scope.fail(unwelcome);
      })
      .withOnReceiveMessage((message, next) => {
        metrics.received();
        next(message);
      })
      .withOnReceiveHalfClose((next) => {
        requestComplete = true;
        bodyDone?.();
        // A handler is not started for a call that is answered already.
        if (scope.open || method.requestStream) next();
      })
      .withOnCancel(() => scope.cancelled())
      .build();
    const responder = new ResponderBuilder()
      .withStart((next) => {
        if (refusal === undefined) next(listener);
        else scope.fail(refusal);
      })
      .withSendMessage((message, next) => {
        if (!scope.open) return;
        headersSent = true;
        metrics.sent();
        next(message);
      })
      .withSendStatus((status: CallStatus, next) => {
        if (status.code === Status.OK || scope.open) next(status);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };
}

/** The error of a request, or of a stream's next message, that does not come. */
export function incompleteRequest(ms: number): A2sfError {
  return new A2sfError('DEADLINE_EXCEEDED', `request: not complete within ${ms} ms (--body_timeout_ms)`, {
    field: 'request',
    reason: 'body-timeout',
  });
}
