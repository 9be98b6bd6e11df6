import type { Resolved } from '@a2sf/config';
import { BatchingEncoder } from './batching-encoder.js';
import { CachingEncoder } from './caching-encoder.js';
import type { Encoder } from './encoder.js';
import type { EncoderMetrics, EncoderOfTables } from './metrics.js';
import type { options } from './options.js';
import { StatisticsEncoder } from './statistics-encoder.js';

type ComposeOptions = Pick<
  Resolved<typeof options>,
  'batchWindowMs' | 'maxBatch' | 'maxQueue' | 'promptStatistics' | 'cacheBytes'
>;

/** A model with what the flags add to it: what the model computes is counted, joined, completed and kept, in this order. */
export function composeEncoder(model: EncoderOfTables, o: ComposeOptions, metrics: EncoderMetrics): Encoder {
  const { batchWindowMs: windowMs, maxBatch: maxTexts, maxQueue } = o;
  let encoder: Encoder = new BatchingEncoder(metrics.observe(model), { windowMs, maxTexts, maxQueue });
  if (o.promptStatistics) encoder = new StatisticsEncoder(encoder);
  if (o.cacheBytes > 0) encoder = new CachingEncoder(encoder, { maxBytes: o.cacheBytes, ...metrics.cache });
  return encoder;
}
