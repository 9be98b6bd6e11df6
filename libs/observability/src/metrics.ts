import {
  Counter,
  Gauge,
  Histogram,
  Registry,
  collectDefaultMetrics,
  type CounterConfiguration,
  type GaugeConfiguration,
  type HistogramConfiguration,
} from 'prom-client';
import { type LabelsOf, type MetricDefinition, type MetricName, metricSchema } from './metric-schema.js';

/** A counter whose labels are typed: those without labels take the value alone. */
export type CounterOf<L> = [L] extends [never]
  ? { inc(value?: number): void }
  : { inc(labels: L, value?: number): void };

/** A gauge whose labels are typed. */
export type GaugeOf<L> = [L] extends [never]
  ? { set(value: number): void; inc(value?: number): void; dec(value?: number): void }
  : { set(labels: L, value: number): void; inc(labels: L, value?: number): void; dec(labels: L, value?: number): void };

/** A histogram whose labels are typed; `startTimer` returns the function that observes the seconds since, once. */
export type HistogramOf<L> = [L] extends [never]
  ? { observe(value: number): void; startTimer(): () => number }
  : { observe(labels: L, value: number): void; startTimer(labels: L): () => number };

/** Default metrics of the process that are kept: `promtool check metrics` finds no fault with these. */
const wrongDefaults = /^nodejs_active_/;

/** Every combination of closed label values; undefined when some label is open. */
function combinations(definition: MetricDefinition): Record<string, string>[] | undefined {
  let rows: Record<string, string>[] = [{}];
  for (const [name, values] of Object.entries(definition.labels ?? {})) {
    if (typeof values === 'string') return undefined;
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value })));
  }
  return rows;
}

/**
 * The metrics of one process. The suite's own are made by name, with type, help and labels from {@link metricSchema};
 * the same name gives the same metric. Series of closed label sets exist from the beginning, at 0, so that a rate over
 * them sees the first increment.
 */
export class Metrics {
  readonly registry = new Registry();

  constructor(o: { readonly processMetrics?: boolean } = {}) {
    if (o.processMetrics === false) return;
    collectDefaultMetrics({ register: this.registry });
    for (const { name } of this.registry.getMetricsAsArray()) {
      if (wrongDefaults.test(name)) this.registry.removeSingleMetric(name);
    }
  }

  counter<N extends MetricName<'counter'>>(name: N): CounterOf<LabelsOf<N>> {
    const made = this.once(name, (definition, labelNames) => {
      const counter = this.addCounter({ name, help: definition.help, labelNames });
      for (const labels of combinations(definition) ?? []) counter.inc(labels, 0);
      return counter;
    });
    return made as CounterOf<LabelsOf<N>>;
  }

  gauge<N extends MetricName<'gauge'>>(name: N): GaugeOf<LabelsOf<N>> {
    const made = this.once(name, (definition, labelNames) =>
      this.addGauge({ name, help: definition.help, labelNames }),
    );
    return made as GaugeOf<LabelsOf<N>>;
  }

  histogram<N extends MetricName<'histogram'>>(name: N): HistogramOf<LabelsOf<N>> {
    const made = this.once(name, (definition, labelNames) => {
      const buckets = [...(definition.buckets ?? [])];
      const histogram = this.addHistogram({ name, help: definition.help, labelNames, buckets });
      for (const labels of combinations(definition) ?? []) histogram.zero(labels);
      return histogram;
    });
    return made as HistogramOf<LabelsOf<N>>;
  }

  /** A counter outside the suite's schema, such as those of a protocol. */
  addCounter<T extends string>(o: Omit<CounterConfiguration<T>, 'registers'>): Counter<T> {
    return new Counter({ ...o, registers: [this.registry] });
  }

  /** A gauge outside the suite's schema. */
  addGauge<T extends string>(o: Omit<GaugeConfiguration<T>, 'registers'>): Gauge<T> {
    return new Gauge({ ...o, registers: [this.registry] });
  }

  /** A histogram outside the suite's schema. */
  addHistogram<T extends string>(o: Omit<HistogramConfiguration<T>, 'registers'>): Histogram<T> {
    return new Histogram({ ...o, registers: [this.registry] });
  }

  private once(
    name: keyof typeof metricSchema,
    make: (definition: MetricDefinition, labelNames: string[]) => unknown,
  ): unknown {
    const existing = this.registry.getSingleMetric(name);
    if (existing !== undefined) return existing;
    const definition: MetricDefinition = metricSchema[name];
    return make(definition, Object.keys(definition.labels ?? {}));
  }
}
