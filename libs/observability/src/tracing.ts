import type { Logger } from 'pino';
import { setSpanMaker } from './tracing-spans.js';

/** What a process needs to trace. */
export interface TracingOptions {
  /** Short name of the process, `encoder`; its spans are of service `a2sf-encoder` unless OTEL_SERVICE_NAME is set. */
  readonly name: string;
  readonly log: Logger;
}

/** The tracing of a process. */
export interface Tracing {
  /** Sends the spans that wait, for three seconds at most, and stops; idempotent. */
  stop(): Promise<void>;
}

const off: Tracing = { stop: async () => undefined };

/** True when the environment names a collector and does not switch traces off. */
export function wantsTraces(env: NodeJS.ProcessEnv): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = env;
  if (!traces?.trim() && !all?.trim()) return false;
  return env['OTEL_SDK_DISABLED']?.trim().toLowerCase() !== 'true' && env['OTEL_TRACES_EXPORTER']?.trim() !== 'none';
}

/**
 * Starts to send the process's spans to the collector that OpenTelemetry's own variables name, by OTLP over HTTP (JSON).
 * Without them nothing is loaded and no span is ever made. Never throws: what is wrong with a variable or with the
 * collector is logged, and disturbs no call. A process traces once; a second start while it does is nothing.
 */
export async function startTracing({ name, log }: TracingOptions): Promise<Tracing> {
  if (!wantsTraces(process.env)) return off;
  try {
    const { TraceExport } = await import('./tracing-export.js');
    const started = TraceExport.start(`a2sf-${name}`, log);
    if (started === undefined) return off;
    setSpanMaker(started.spanMaker);
    return {
      async stop() {
        setSpanMaker(undefined);
        await started.stop();
      },
    };
  } catch (error) {
    log.warn({ err: error }, 'traces cannot be sent; the process runs without them');
    return off;
  }
}
