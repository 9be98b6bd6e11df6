import type {
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
  sendUnaryData,
} from '@grpc/grpc-js';
import { incompleteRequest, scopeOf } from './call-interceptor.js';
import type { CallScope } from './call-scope.js';
import type { ClientStream, ServerStream, ServiceSpec, Unary } from './handlers.js';
import { admitted } from './request-decoding.js';

/** Rejects when the signal aborts, else settles as the promise does. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function unary(handler: Unary<unknown, unknown>) {
  return (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
    const scope = scopeOf(call.metadata);
    scope.run(async (context) => {
      const response = await handler(admitted(call.request), context);
      if (scope.open) callback(null, response);
    });
  };
}

/** Sends what a handler yields, one message on its way at a time: a slow reader holds the handler, not memory. */
function serverStream(handler: ServerStream<unknown, unknown>) {
  return (call: ServerWritableStream<unknown, unknown>): void => {
    const scope = scopeOf(call.metadata);
    const write = (message: unknown): Promise<void> =>
      new Promise((resolve, reject) => {
        call.write(message, (error: Error | null | undefined) => (error ? reject(error) : resolve()));
      });
    scope.run(async (context) => {
      const { signal } = context;
      const iterator = handler(admitted(call.request), context)[Symbol.asyncIterator]();
      // The iterator is told at once, also while it waits for its next value.
      const stop = (): void => {
        void Promise.resolve(iterator.return?.()).catch((error: unknown) => {
          context.log.debug({ err: error }, 'stream failed while it was stopped');
        });
      };
      signal.addEventListener('abort', stop, { once: true });
      while (!signal.aborted) {
        const next = await iterator.next();
        if (next.done === true || !scope.open) break;
        try {
          await unlessAborted(write(next.value), signal);
        } catch (error) {
          stop();
          throw error;
        }
      }
      if (scope.open) call.end();
    });
  };
}

/** The messages of a client, each waited for `bodyTimeoutMs` at most while the handler wants it. */
async function* messagesOf(
  call: ServerReadableStream<unknown, unknown>,
  scope: CallScope,
  bodyTimeoutMs: number,
): AsyncGenerator {
  const iterator = call[Symbol.asyncIterator]() as AsyncIterator<unknown>;
  for (;;) {
    const arrived = scope.failAfter(bodyTimeoutMs, () => incompleteRequest(bodyTimeoutMs));
    const next = await unlessAborted(iterator.next(), scope.signal).finally(arrived);
    if (next.done === true) return;
    yield admitted(next.value);
  }
}

function clientStream(handler: ClientStream<unknown, unknown>, bodyTimeoutMs: number) {
  return (call: ServerReadableStream<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
    // A stream that its client breaks off is told by the signal.
    call.on('error', () => {});
    const scope = scopeOf(call.metadata);
    scope.run(async (context) => {
      const response = await handler(messagesOf(call, scope, bodyTimeoutMs), context);
      if (scope.open) callback(null, response);
    });
  };
}

/**
 * The handlers of a service as grpc-js calls them. Whatever a handler does (throw at once or later, end twice, go on after
 * the deadline) its call gets exactly one status.
 *
 * @throws Error when a method has no handler, a handler no method, or a method streams both ways.
 */
export function wrapHandlers(spec: ServiceSpec, bodyTimeoutMs: number): UntypedServiceImplementation {
  const implementation: UntypedServiceImplementation = {};
  const missing = Object.keys(spec.definition).filter((name) => spec.handlers[name] === undefined);
  const unknown = Object.keys(spec.handlers).filter((name) => !Object.hasOwn(spec.definition, name));
  if (missing.length + unknown.length > 0) {
    throw new Error(`methods without handler: [${missing.join()}], handlers without method: [${unknown.join()}]`);
  }
  for (const [name, method] of Object.entries(spec.definition)) {
    const handler: unknown = spec.handlers[name];
    if (method.requestStream && method.responseStream) throw new Error(`${method.path} streams both ways`);
    if (method.requestStream) {
      implementation[name] = clientStream(handler as ClientStream<unknown, unknown>, bodyTimeoutMs);
    } else if (method.responseStream) {
      implementation[name] = serverStream(handler as ServerStream<unknown, unknown>);
    } else {
      implementation[name] = unary(handler as Unary<unknown, unknown>);
    }
  }
  return implementation;
}
