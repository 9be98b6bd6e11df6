import { type Resolved, boolean, integer, oneOf, option, port, text } from '@a2sf/config';
import { logLevels } from '@a2sf/observability';
import { serverSecurityOptions } from './security-options.js';

/** Largest message in bytes, in either direction, unless told otherwise. */
export const defaultMaxMessageBytes: number = 16 << 20;

/** The options that every server of the suite has. */
export function serverOptionsWithPorts(defaults: { readonly port: number; readonly httpPort: number }) {
  const group = 'Server';
  const ms = (min: number): ReturnType<typeof integer> => integer({ min, max: 2_147_483_647 });
  return {
    host: option({
      schema: text({ maxLength: 253 }),
      description: 'address to listen on',
      default: '127.0.0.1',
      group,
    }),
    port: option({ schema: port, description: 'gRPC port; 0 = any free one', default: defaults.port, group }),
    httpPort: option({
      schema: port,
      description: 'port of /metrics, /healthz and /readyz; 0 = any free one',
      default: defaults.httpPort,
      group,
    }),
    reflection: option({
      schema: boolean,
      description: 'serve reflection (default: on loopback hosts only)',
      group,
    }),
    maxMessageBytes: option({
      schema: integer({ min: 1024, max: 1 << 30 }),
      description: 'largest message in bytes, in either direction',
      default: defaultMaxMessageBytes,
      group,
    }),
    maxConcurrentCalls: option({
      schema: integer({ min: 1, max: 100_000 }),
      description: 'calls in work at once; more are refused at once',
      default: 256,
      group,
    }),
    defaultDeadlineMs: option({
      schema: ms(1),
      description: 'deadline in ms of a call that comes without one',
      default: 600_000,
      group,
    }),
    bodyTimeoutMs: option({
      schema: ms(1),
      description: 'ms a client may take to finish a request, or to send the next message of a stream',
      default: 30_000,
      group,
    }),
    drainMs: option({
      schema: ms(0),
      description: 'ms that calls in work may take to finish after a stop signal',
      default: 10_000,
      group,
    }),
    maxConnectionAgeMs: option({
      schema: ms(1000),
      description: 'ms after which a connection is asked to reconnect, so that clients find new servers',
      default: 1_800_000,
      group,
    }),
    ...serverSecurityOptions(group),
    logLevel: option({
      schema: oneOf(logLevels),
      description: `least level that is logged: ${logLevels.join(', ')}`,
      default: 'info',
      group,
    }),
  } as const;
}

/** The same with any free port as the default of both ports. */
export const serverOptions = serverOptionsWithPorts({ port: 0, httpPort: 0 });

/** Values of {@link serverOptions}. */
export type ServerOptions = Resolved<typeof serverOptions>;

/** True for hosts that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/.test(host);
}
