import type { Encoded } from '@a2sf/inference';
import type { Metrics } from '@a2sf/observability';

/** What an encoder tells Prometheus. */
export interface EncoderMetrics {
  /** Runs the encoding of one request and observes its time, waiting included, and what it read. */
  track(encode: () => Promise<Encoded[]>): Promise<Encoded[]>;
}

export function encoderMetrics(metrics: Metrics): EncoderMetrics {
  const seconds = metrics.histogram('a2sf_encoder_encode_seconds');
  const tokens = metrics.counter('a2sf_encoder_tokens_total');
  const truncated = metrics.counter('a2sf_encoder_truncated_total');
  return {
    async track(encode) {
      const observeSeconds = seconds.startTimer();
      const encoded = await encode();
      observeSeconds();
      tokens.inc(encoded.reduce((sum, embedding) => sum + embedding.tokens, 0));
      truncated.inc(encoded.filter((embedding) => embedding.truncated).length);
      return encoded;
    },
  };
}
