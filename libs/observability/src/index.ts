export { createLogger, logLevels, type Logger, type LoggerOptions, type LogLevel } from './logger.js';
export {
  metricSchema,
  type LabelsOf,
  type LabelValues,
  type MetricDefinition,
  type MetricName,
  type MetricSchema,
} from './metric-schema.js';
export { Metrics, type CounterOf, type GaugeOf, type HistogramOf } from './metrics.js';
export { startHttp, type HttpOptions, type HttpServer } from './http-server.js';
export { startTracing, type Tracing, type TracingOptions } from './tracing.js';
export {
  activeTrace,
  inSpan,
  recordSpan,
  startClientSpan,
  startServerSpan,
  type CallOutcome,
  type CallSpan,
  type SpanAttributes,
  type TraceCarrier,
} from './tracing-spans.js';
