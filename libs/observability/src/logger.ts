import { A2sfError } from '@a2sf/errors';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { stderrStream } from './log-stream.js';
import { activeTrace } from './tracing-spans.js';

export type { Logger };

/** Levels a logger accepts, from most to least. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What a logger is made of. */
export interface LoggerOptions {
  readonly name: string;
  readonly level: string;
  /** Where the lines go; default: stderr. */
  readonly stream?: DestinationStream;
}

/** Fields that may hold what a user wrote or a secret; a mistaken `log.info({ request })` does not print them. */
const privateFields = [
  'prompt',
  'text',
  'inputs',
  'items',
  'prediction',
  'references',
  'authorization',
  'token',
  'password',
];

/**
 * A logger that writes JSON lines to stderr: `time` (ISO 8601), `seq` (a counter that orders the lines of a process also
 * when the clock is set back), `level`, `name`, `msg` and the fields given; within a span also `trace_id` and `span_id`.
 *
 * @throws A2sfError INVALID_ARGUMENT for an unknown level.
 */
export function createLogger(o: LoggerOptions): Logger {
  const level = logLevels.find((known) => known === o.level);
  if (level === undefined) throw A2sfError.invalid('log_level', `must be one of ${logLevels.join(', ')}`);
  let seq = 0;
  const stream = o.stream ?? stderrStream();
  return pino(
    {
      name: o.name,
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => ({ seq: ++seq, ...activeTrace() }),
      redact: { paths: privateFields.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
    },
    stream,
  );
}
