import type { Metrics } from '@a2sf/observability';
import type { GenerateResult, SweepOutput } from '@a2sf/inference';

/** What a generator tells Prometheus. */
export interface GeneratorMetrics {
  /** Runs a call of the model and keeps the queue's depth up to date around it. */
  track<T>(call: () => Promise<T>): Promise<T>;
  /** Slots in use, as the model tells it. */
  setSlotsInUse(slots: number): void;
  observeGenerate(result: GenerateResult): void;
  observeSweep(output: SweepOutput): void;
}

const seconds = (milliseconds: number): number => milliseconds / 1000;

export function generatorMetrics(metrics: Metrics): GeneratorMetrics {
  const prefill = metrics.histogram('a2sf_generator_prefill_seconds');
  const decode = metrics.histogram('a2sf_generator_decode_seconds');
  const tokens = metrics.counter('a2sf_generator_tokens_total');
  const cacheBytes = metrics.histogram('a2sf_generator_cache_bytes');
  const queueDepth = metrics.gauge('a2sf_generator_queue_depth');
  const slotsInUse = metrics.gauge('a2sf_generator_slots_in_use');
  const observeCache = (of: { readonly cacheBytes: number; readonly fullCacheBytes: number }): void => {
    cacheBytes.observe({ cache: 'full' }, of.fullCacheBytes);
    cacheBytes.observe({ cache: 'kept' }, of.cacheBytes);
  };
  return {
    async track(call) {
      queueDepth.inc();
      try {
        return await call();
      } finally {
        queueDepth.dec();
      }
    },
    setSlotsInUse: (slots) => slotsInUse.set(slots),
    observeGenerate(result) {
      prefill.observe(seconds(result.prefillMs));
      decode.observe(seconds(result.decodeMs));
      tokens.inc({ kind: 'prompt' }, result.promptTokens);
      tokens.inc({ kind: 'generated' }, result.generatedTokens);
      observeCache(result);
    },
    observeSweep(output) {
      prefill.observe(seconds(output.prefillMs));
      decode.observe(seconds(output.decodeMs));
      tokens.inc({ kind: 'prompt' }, output.promptTokens);
      const distinct = output.results.filter((result) => result.sameAs === undefined);
      const generated = distinct.reduce(
        (sum, result) => sum + result.tokenIds.length,
        output.full?.tokenIds.length ?? 0,
      );
      tokens.inc({ kind: 'generated' }, generated);
      observeCache(output);
    },
  };
}
