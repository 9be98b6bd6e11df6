import {
  type Attributes,
  context,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  trace,
  type Tracer,
} from '@opentelemetry/api';

/** What makes spans and writes them into headers, while a process traces. */
export interface SpanMaker {
  readonly tracer: Tracer;
  readonly propagator: TextMapPropagator;
}

/** Attributes of a span: numbers, names and flags. Never what a user wrote. */
export type SpanAttributes = Attributes;

/** Where the trace of a call is read from or written to: the metadata of a call. */
export interface TraceCarrier {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
}

/** How a call ended. */
export interface CallOutcome {
  /** The number of the gRPC status, and its name. */
  readonly code: number;
  readonly name: string;
  /** True when the status counts as an error of this side. */
  readonly failed: boolean;
  /** Our reason for a refusal, such as `too-many-calls`. */
  readonly reason?: string | undefined;
}

/** The span of one call. Without tracing there is none, and nothing below is ever called. */
export interface CallSpan {
  /** Runs work with the span as the parent of what it starts, and in its log lines. */
  run<T>(work: () => T): T;
  /** Ends the span; a second end is ignored. */
  end(outcome: CallOutcome): void;
}

let maker: SpanMaker | undefined;

/** Sets what makes spans from now on; undefined: none are made. */
export function setSpanMaker(made: SpanMaker | undefined): void {
  maker = made;
}

/** True while the process traces. */
export function isTracing(): boolean {
  return maker !== undefined;
}

/** The ids of the active span under their names in a log line; undefined without one. */
export function activeTrace(): { readonly trace_id: string; readonly span_id: string } | undefined {
  const span = maker && trace.getSpan(context.active());
  if (span === undefined) return undefined;
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}

/** Runs work within a span of its own, a child of the active one. The work's error is noted by its class and code only. */
export async function inSpan<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T> {
  if (maker === undefined) return work();
  const span = maker.tracer.startSpan(name, { attributes });
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } catch (error) {
    span.setAttribute('error.type', errorType(error));
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** Notes work that is over as a child of the active span. Times are milliseconds since 1970. */
export function recordSpan(name: string, startMs: number, endMs: number, attributes: SpanAttributes = {}): void {
  if (maker === undefined || trace.getSpan(context.active())?.isRecording() !== true) return;
  maker.tracer.startSpan(name, { attributes, startTime: startMs }).end(endMs);
}

/**
 * The span of a call that is made, a child of the active one, written into the call's metadata for the other end.
 * @param path `/package.Service/Method`.
 * @param peer tells the address of the other end.
 */
export function startClientSpan(path: string, peer: () => string, carrier: TraceCarrier): CallSpan | undefined {
  if (maker === undefined) return undefined;
  const parent = context.active();
  const attributes = { ...rpcAttributes(path), 'server.address': peer() };
  const span = maker.tracer.startSpan(path.slice(1), { kind: SpanKind.CLIENT, attributes }, parent);
  const within = trace.setSpan(parent, span);
  maker.propagator.inject(within, carrier, { set: (to, name, value) => (to as TraceCarrier).set(name, value) });
  return callSpan(span, within);
}

/** The span of a call that is served, a child of the one in its metadata. */
export function startServerSpan(path: string, carrier: Pick<TraceCarrier, 'get'>): CallSpan | undefined {
  if (maker === undefined) return undefined;
  const parent = maker.propagator.extract(ROOT_CONTEXT, carrier, {
    keys: () => [],
    get: (from, name) => (from as TraceCarrier).get(name),
  });
  const options = { kind: SpanKind.SERVER, attributes: rpcAttributes(path) };
  const span = maker.tracer.startSpan(path.slice(1), options, parent);
  return callSpan(span, trace.setSpan(parent, span));
}

function rpcAttributes(path: string): SpanAttributes {
  const [, service = '', method = ''] = path.split('/');
  return { 'rpc.system': 'grpc', 'rpc.service': service, 'rpc.method': method };
}

function callSpan(span: Span, within: Context): CallSpan {
  return {
    run: (work) => context.with(within, work),
    end({ code, name, failed, reason }) {
      if (!span.isRecording()) return;
      span.setAttribute('rpc.grpc.status_code', code);
      if (code !== 0) span.setAttribute('error.type', name);
      if (reason !== undefined) span.setAttribute('a2sf.reason', reason);
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/** Code or class of an error; its message may quote a request. */
function errorType(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
