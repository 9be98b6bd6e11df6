import type { Action } from '@a2sf/kv-compression';
import type { SamplingOptions } from './token-sampler.js';

export interface LanguageModelOptions {
  /** Folder with config.json, weights and, for text prompts, tokenizer.json. */
  readonly folder: string;
  /** Name to be known by. */
  readonly name: string;
  /** Threads of one operator. */
  readonly threads: number;
  /** Positions to make room for, prompt and new tokens together; at most what the model was made for. */
  readonly contextTokens?: number;
  /** Longest prompt in tokens. Default: the context less 512. */
  readonly maxPromptTokens?: number;
  /** Slots that are decoded together; a sweep with more distinct selections runs in several batches. Default 64. */
  readonly slots?: number;
  /** Bytes that the slots decoded together may take; at least one slot is always decoded. Default 2 GiB. */
  readonly slotBytes?: number;
}

export interface LanguageModelInfo {
  readonly model: string;
  readonly modelId: string;
  readonly family: string;
  readonly layers: number;
  readonly kvHeads: number;
  readonly vocab: number;
  readonly maxPromptTokens: number;
  readonly contextTokens: number;
  readonly device: string;
  readonly dtype: string;
  readonly slots: number;
  readonly hasTokenizer: boolean;
}

/** A prompt as text or as the whole list of token ids. */
export interface PromptInput {
  readonly source: { readonly text: string } | { readonly ids: readonly number[] };
  /** Cut to first half + last half over the limit, instead of refusing. */
  readonly truncate: boolean;
  /** The limit for this prompt, before wrapping; 0 = the model's. */
  readonly maxPromptTokens: number;
  readonly wrap: 'none' | 'inst';
}

export interface CompressionInput {
  readonly action: Action;
  readonly budget: number;
  readonly recent: number;
}

export interface GenerateInput {
  readonly prompt: PromptInput;
  readonly compression: CompressionInput | undefined;
  readonly maxNewTokens: number;
  readonly ignoreEos: boolean;
  readonly stop: readonly string[];
  /** Absent: greedy. */
  readonly sampling?: SamplingOptions;
}

export interface GenerateChunk {
  readonly text: string;
  readonly tokenIds: readonly number[];
}

export interface GenerateResult {
  readonly finishReason: 'end-token' | 'length' | 'stop';
  readonly truncated: boolean;
  readonly promptTokens: number;
  readonly keptTokens: number;
  readonly generatedTokens: number;
  readonly cacheBytes: number;
  readonly fullCacheBytes: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

export interface SweepInput {
  readonly prompt: PromptInput;
  readonly actions: readonly Action[];
  readonly budget: number;
  readonly recent: number;
  readonly maxNewTokens: number;
  readonly ignoreEos: boolean;
  readonly includeFull: boolean;
}

export interface Continuation {
  readonly text: string;
  readonly tokenIds: readonly number[];
}

export interface SweepOutput {
  readonly full: Continuation | undefined;
  /** One per action; `sameAs` is the first action that keeps the same positions everywhere. */
  readonly results: readonly (Continuation & { readonly sameAs: number | undefined })[];
  readonly truncated: boolean;
  readonly promptTokens: number;
  readonly keptTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

export interface InspectInput {
  readonly prompt: PromptInput;
  readonly compression: CompressionInput;
  /** Layers to show; empty = all. */
  readonly layers: readonly number[];
  readonly withScores: boolean;
}

export interface InspectOutput {
  readonly truncated: boolean;
  readonly promptTokens: number;
  readonly layers: readonly {
    readonly layer: number;
    readonly heads: readonly { readonly positions: Int32Array; readonly scores: Float32Array }[];
  }[];
}
