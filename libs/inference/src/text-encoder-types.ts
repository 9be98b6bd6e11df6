import type { Pooling } from '@a2sf/model-zoo';

export interface SentenceEncoderOptions {
  /** Folder with config.json, weights and, for texts, tokenizer.json. */
  readonly folder: string;
  /** Name to be known by. */
  readonly name: string;
  /** Threads of one operator. */
  readonly threads: number;
  /** Where the graph runs: `cpu` (the default), `webgpu`, `cuda` or `cuda:N`. */
  readonly device?: string;
  /** `hidden_states` keeps every row of the last layer, for `hiddenStates`; by default only what the pooling needs. */
  readonly output?: 'embedding' | 'hidden_states';
  /** Most tokens that one run of a model that batches may hold; default 2048. A longer text runs alone. */
  readonly maxBatchTokens?: number;
  /**
   * Most bytes of tables that follow from a text's length, such as the spectra of M2-BERT's filters, that are made once and
   * kept; default 512 MiB. What has no room is made in every run: 1.2 GB hold all of 8192 tokens, 0 keeps none at any length.
   */
  readonly tableBytes?: number | undefined;
}

export interface SentenceEncoderInfo {
  readonly model: string;
  /** Name and hash of the weights: what an embedding's encoder_id is. */
  readonly encoderId: string;
  readonly family: string;
  readonly dimension: number;
  /** Longest input in tokens, special tokens included. */
  readonly maxTokens: number;
  readonly vocab: number;
  /** How token states become one vector: `cls`, `mean`, `mean_sqrt_len`, `max`; `model` where an ONNX export does it. */
  readonly pooling: Pooling | 'model';
  /** Embeddings have length 1. */
  readonly normalised: boolean;
  readonly device: string;
  readonly hasTokenizer: boolean;
}

/** What is encoded: a text, or token ids as the whole input. */
export type EncodeInput = { readonly text: string } | { readonly ids: readonly number[] };

export interface Encoded {
  /** [dimension] */
  readonly values: Float32Array;
  /** Tokens that were read; 0 for a blank input. */
  readonly tokens: number;
  /** Only the beginning was read. */
  readonly truncated: boolean;
  /** The input was blank; the vector is zero. */
  readonly empty: boolean;
}
