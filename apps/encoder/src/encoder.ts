import type { Encoded, EncodeInput, SentenceEncoderInfo } from '@a2sf/inference';

/**
 * What turns inputs into embeddings: a model, or another encoder with something added (batches, a cache, statistics). Order
 * is kept; an error about an input names it `inputs[i]`; an aborted signal rejects with its reason. Results are shared: they
 * must not be written to.
 */
export interface Encoder {
  readonly info: SentenceEncoderInfo;
  encode(inputs: readonly EncodeInput[], signal?: AbortSignal): Promise<readonly Encoded[]>;
}
