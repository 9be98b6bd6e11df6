import type { Encoded } from '@a2sf/inference';
import type { Metrics } from '@a2sf/observability';
import type { CachingOptions } from './caching-encoder.js';
import type { Encoder } from './encoder.js';

/** What an encoder tells Prometheus. */
export interface EncoderMetrics {
  /** Runs the encoding of one request and observes its time, waiting included, and what was cut. */
  track(encode: () => Promise<readonly Encoded[]>): Promise<readonly Encoded[]>;
  /** The same model, the tokens that it reads counted, and the tables that it keeps. */
  observe(model: EncoderOfTables): Encoder;
  /** What a cache tells. */
  readonly cache: Required<Pick<CachingOptions, 'onLookup' | 'onBytes'>>;
}

/** A model that keeps tables beside its weights. */
export type EncoderOfTables = Encoder & { readonly tableBytes?: number };

export function encoderMetrics(metrics: Metrics): EncoderMetrics {
  const seconds = metrics.histogram('a2sf_encoder_encode_seconds');
  const tokens = metrics.counter('a2sf_encoder_tokens_total');
  const truncated = metrics.counter('a2sf_encoder_truncated_total');
  const tables = metrics.gauge('a2sf_encoder_table_bytes');
  const lookups = metrics.counter('a2sf_encoder_cache_lookups_total');
  const bytes = metrics.gauge('a2sf_encoder_cache_bytes');
  return {
    async track(encode) {
      const observeSeconds = seconds.startTimer();
      const encoded = await encode();
      observeSeconds();
      truncated.inc(encoded.filter((embedding) => embedding.truncated).length);
      return encoded;
    },
    observe: (model) => ({
      info: model.info,
      async encode(inputs, signal) {
        const encoded = await model.encode(inputs, signal);
        tokens.inc(encoded.reduce((sum, embedding) => sum + embedding.tokens, 0));
        tables.set(model.tableBytes ?? 0);
        return encoded;
      },
    }),
    cache: {
      onLookup(found) {
        for (const result of ['hit', 'shared', 'miss'] as const) lookups.inc({ result }, found[result]);
      },
      onBytes: (kept) => bytes.set(kept),
    },
  };
}
