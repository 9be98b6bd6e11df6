import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { context, diag, DiagLogLevel } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import type { Logger } from 'pino';
import { AsyncContext } from './tracing-context.js';
import type { SpanMaker } from './tracing-spans.js';

/** How long a stop waits for the collector, and an export unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise. */
const stopMs = 3000;

/** An exporter that logs when the collector fails for the first time and when it is back, and nothing in between. */
class ReportingExporter implements SpanExporter {
  #failing = false;

  constructor(
    private readonly exporter: SpanExporter,
    private readonly log: Logger,
  ) {}

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.exporter.export(spans, (result) => {
      this.#report(result, spans.length);
      // Told as a success: the processor has nothing to do about a failure but to print it.
      done({ code: ExportResultCode.SUCCESS });
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  #report({ code, error }: ExportResult, spans: number): void {
    const failed = code !== ExportResultCode.SUCCESS;
    if (failed && !this.#failing) {
      this.log.warn({ err: error, spans }, 'the collector does not take traces; they are dropped until it does');
    }
    if (!failed && this.#failing) this.log.info('the collector takes traces again');
    this.#failing = failed;
  }
}

/**
 * The SDK of OpenTelemetry, set up from its own variables: OTEL_EXPORTER_OTLP_*, OTEL_TRACES_SAMPLER and _ARG,
 * OTEL_BSP_* (a bounded queue of 2048 spans, what is over it is dropped), OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES.
 * Loaded only where traces are wanted.
 */
export class TraceExport {
  readonly spanMaker: SpanMaker;
  readonly #provider: BasicTracerProvider;
  #stopping: Promise<void> | undefined;

  private constructor(provider: BasicTracerProvider) {
    this.#provider = provider;
    this.spanMaker = { tracer: provider.getTracer('a2sf'), propagator: new W3CTraceContextPropagator() };
  }

  /** Undefined where the process has a tracing of its own already. */
  static start(serviceName: string, log: Logger): TraceExport | undefined {
    if (!context.setGlobalContextManager(new AsyncContext())) return undefined;
    const own = resourceFromAttributes({
      'service.name': serviceName,
      'service.namespace': 'a2sf',
      'service.instance.id': randomUUID(),
      'process.pid': process.pid,
    });
    // What is wrong with a variable is told; what the SDK says later, batch after batch, is for those who look for it.
    let level: 'warn' | 'debug' = 'warn';
    const tell = (message: string): void => log[level](`traces: ${message}`);
    const silent = (): void => undefined;
    diag.setLogger(
      { error: tell, warn: tell, info: silent, debug: silent, verbose: silent },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
    const { OTEL_EXPORTER_OTLP_TIMEOUT: all, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: traces } = process.env;
    const timeout = (traces ?? all) === undefined ? { timeoutMillis: stopMs } : {};
    const exporter = new ReportingExporter(new OTLPTraceExporter(timeout), log);
    const provider = new BasicTracerProvider({
      resource: own.merge(detectResources({ detectors: [envDetector] })),
      spanProcessors: [new BatchSpanProcessor(exporter)],
    });
    level = 'debug';
    return new TraceExport(provider);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#flush();
    return this.#stopping;
  }

  async #flush(): Promise<void> {
    const late = new AbortController();
    const bound = delay(stopMs, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([this.#provider.shutdown().catch(() => undefined), bound]);
    late.abort();
    context.disable();
    diag.disable();
  }
}
