import { setTimeout as delay } from 'node:timers/promises';
import { Server, type ServerCredentials, type ServerOptions as GrpcServerOptions } from '@grpc/grpc-js';
import { A2sfError } from '@a2sf/errors';
import { type Logger, type Metrics, startHttp, startTracing, type Tracing } from '@a2sf/observability';
import { HealthImplementation } from 'grpc-health-check';
import type { RestrictedMethods } from './access-control.js';
import { callInterceptor } from './call-interceptor.js';
import { CallMetrics } from './call-metrics.js';
import { CallRegistry } from './call-registry.js';
import { suiteDescriptors } from './descriptors.js';
import type { ServiceSpec } from './handlers.js';
import { addReflection } from './reflection.js';
import { withCheckedRequests } from './request-decoding.js';
import { RetryHints } from './retry-hint.js';
import { type ServerOptions, isLoopback } from './server-options.js';
import { serverSecurity } from './server-security.js';
import { onStopSignal } from './stop-signals.js';
import { wrapHandlers } from './wrap-handlers.js';

/** What a server is made of. */
export interface ServeOptions {
  /** Short name of the service, for the ready line and the log: `encoder`. */
  readonly name: string;
  readonly service: ServiceSpec;
  readonly options: ServerOptions;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Methods that, with TLS, only clients of some names may call. */
  readonly restricted?: RestrictedMethods;
  /** Releases what the handlers use; called once, after the last call. */
  readonly onStop?: () => Promise<void>;
  /** Write the ready line on stdout and stop at signals; default true. False for a server within another program. */
  readonly process?: boolean;
}

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  readonly httpPort: number;
  /** Tells health checks and `/readyz` whether to send calls; false until it is called. */
  setReady(ready: boolean): void;
  /** Stops in order: not ready, calls drain, resources, HTTP. The same promise each time. */
  stop(): Promise<void>;
  /** Resolves when the server has stopped, for whatever reason. */
  readonly stopped: Promise<void>;
}

/** Milliseconds for the statuses of unfinished calls to reach their clients, and for handlers to notice. */
const lastWordsMs = 1000;
const keepaliveMs = 30_000;
const keepaliveTimeoutMs = 10_000;
const idleConnectionMs = 300_000;
/** How long the calls of a connection that was asked to reconnect may go on: the longest deadline that the suite's own clients set. */
const connectionGraceMs = 3_600_000;
const maxStreamsPerConnection = 1024;

function grpcOptions(o: ServerOptions): GrpcServerOptions {
  return {
    'grpc.max_receive_message_length': o.maxMessageBytes,
    'grpc.max_send_message_length': o.maxMessageBytes,
    'grpc.max_concurrent_streams': maxStreamsPerConnection,
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
    'grpc.max_connection_age_ms': o.maxConnectionAgeMs,
    'grpc.max_connection_age_grace_ms': Math.max(connectionGraceMs, o.defaultDeadlineMs),
    'grpc.max_connection_idle_ms': idleConnectionMs,
    'grpc.enable_channelz': 0,
    'grpc.so_reuseport': 0,
  };
}

function bind(server: Server, credentials: ServerCredentials, { host, port }: ServerOptions): Promise<number> {
  const address = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(bindError(error, address));
    });
  });
}

function bindError(error: Error, address: string): A2sfError {
  const used = error.message.includes('EADDRINUSE');
  const problem = used ? `--port: ${address} is already in use` : `--host, --port: cannot listen on ${address}`;
  return new A2sfError('FAILED_PRECONDITION', problem, {
    field: 'port',
    reason: used ? 'port-in-use' : 'cannot-listen',
    cause: error,
  });
}

/** `a2sf.reward.v1.RewardService`, from the path of its methods. */
function fullName(spec: ServiceSpec): string {
  const [method] = Object.values(spec.definition);
  if (method === undefined) throw new Error('a service without methods');
  return method.path.split('/')[1]!;
}

/**
 * Starts a server: the service behind checked requests and wrapped handlers, grpc.health.v1 for `''` and its full name,
 * reflection where it is on, metrics, and the HTTP endpoints. It is not ready until `setReady(true)`. A process prints one
 * line of JSON on stdout when it listens, `{"service":"encoder","port":N,"httpPort":N}`.
 *
 * @throws A2sfError FAILED_PRECONDITION, reason `port-in-use`, naming `--port` or `--http_port`; usage and the errors of
 * the files for what is wrong with the server's security.
 */
export async function serve(o: ServeOptions): Promise<RunningServer> {
  const { options, log } = o;
  const name = fullName(o.service);
  // A server within another program makes its spans there.
  const tracing: Tracing | undefined = o.process === false ? undefined : await startTracing(o);
  const security = serverSecurity(options, o.restricted, log);
  const registry = new CallRegistry(options.maxConcurrentCalls);
  const metrics = new CallMetrics(o.metrics);
  const server = new Server({
    ...grpcOptions(options),
    interceptors: [
      callInterceptor({ ...options, registry, metrics, hints: new RetryHints(), access: security.access, log }),
    ],
  });
  for (const method of Object.values(o.service.definition)) metrics.of(method);
  server.addService(withCheckedRequests(o.service.definition), wrapHandlers(o.service, options.bodyTimeoutMs));
  const health = new HealthImplementation({ '': 'NOT_SERVING', [name]: 'NOT_SERVING' });
  health.addToServer(server);
  if (options.reflection ?? isLoopback(options.host)) {
    addReflection(server, suiteDescriptors(), [name, 'grpc.health.v1.Health']);
  }

  let ready = false;
  const setReady = (value: boolean): void => {
    ready = value && !registry.draining.aborted;
    for (const service of ['', name]) health.setStatus(service, ready ? 'SERVING' : 'NOT_SERVING');
  };

  const port = await bind(server, security.credentials, options).catch((error: unknown) => {
    security.close();
    throw error;
  });
  const http = await startHttp({
    host: options.host,
    port: options.httpPort,
    metrics: o.metrics,
    ready: () => ready,
    log,
  }).catch((error: unknown) => {
    server.forceShutdown();
    security.close();
    throw error;
  });

  let announceStopped: () => void;
  const stopped = new Promise<void>((resolve) => {
    announceStopped = resolve;
  });
  const stopOnce = async (): Promise<void> => {
    log.info({ calls: registry.size, drainMs: options.drainMs }, 'stopping');
    setReady(false);
    registry.beginDrain();
    const closed = new Promise<void>((resolve) => {
      server.tryShutdown(() => resolve());
    });
    const drained = Promise.all([closed, registry.idle()]);
    if (!(await within(drained, options.drainMs))) {
      log.warn({ calls: registry.size }, 'calls are ended unfinished');
      registry.endAll();
      await within(drained, lastWordsMs);
      server.forceShutdown();
    }
    try {
      await o.onStop?.();
    } catch (error) {
      log.error({ err: error }, 'stopping failed');
      process.exitCode = 1;
    }
    await http.close();
    security.close();
    await tracing?.stop();
    forgetSignals?.();
    log.info('stopped');
    announceStopped();
  };
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopOnce());
  const forgetSignals = o.process === false ? undefined : onStopSignal(stop);

  log.info({ service: name, host: options.host, port, httpPort: http.port }, 'listening');
  if (o.process !== false) {
    process.stdout.write(`${JSON.stringify({ service: o.name, port, httpPort: http.port })}\n`);
  }
  return { port, httpPort: http.port, setReady, stop, stopped };
}

/** True when the work ended in time. */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  const timeout = new AbortController();
  const late = delay(ms, false, { signal: timeout.signal }).catch(() => false);
  const done = await Promise.race([work.then(() => true), late]);
  timeout.abort();
  return done;
}
