import { A2sfError } from '@a2sf/errors';
import type { Encoded, EncodeInput, SentenceEncoderInfo } from '@a2sf/inference';
import type { Encoder } from './encoder.js';
import { promptStatistics, statisticNames } from './prompt-statistics.js';

/** Names the features and their definition; a change of either is another number. */
const suffix = '+statistics-1';

/**
 * [embedding, statistics]: every embedding with the statistics of its whole text behind it. The encoder's identity says so,
 * hence a policy that was trained without refuses these vectors. A blank text stays the zero vector. FAILED_PRECONDITION:
 * token ids, of which there is no text.
 */
export class StatisticsEncoder implements Encoder {
  readonly info: SentenceEncoderInfo;

  constructor(private readonly encoder: Encoder) {
    const { info } = encoder;
    const dimension = info.dimension + statisticNames.length;
    this.info = { ...info, dimension, encoderId: `${info.encoderId}${suffix}` };
  }

  async encode(inputs: readonly EncodeInput[], signal?: AbortSignal): Promise<readonly Encoded[]> {
    const texts = inputs.map((input, i) => {
      if ('text' in input || input.ids.length === 0) return 'text' in input ? input.text : '';
      const field = `inputs[${i}].token_ids`;
      const message = `${field}: this server adds statistics of the text (--prompt_statistics); it reads texts only`;
      throw new A2sfError('FAILED_PRECONDITION', message, { field, reason: 'needs-text' });
    });
    const encoded = await this.encoder.encode(inputs, signal);
    return encoded.map((embedding, i) => {
      const values = new Float32Array(this.info.dimension);
      values.set(embedding.values);
      if (!embedding.empty) values.set(promptStatistics(texts[i]!), embedding.values.length);
      return { ...embedding, values };
    });
  }
}
