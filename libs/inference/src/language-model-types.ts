import type { CompressionRequest } from '@a2sf/kv-compression';
import type { WeightFormat } from '@a2sf/model-zoo';
import type { ScoreStatistics } from './prefill-statistics.js';
import type { StageTimes } from './stage-times.js';
import type { SamplingOptions } from './token-sampler.js';

export interface LanguageModelOptions {
  /** Folder with config.json, weights and, for text prompts, tokenizer.json. */
  readonly folder: string;
  /** Name to be known by. */
  readonly name: string;
  /** Threads of one operator. */
  readonly threads: number;
  /** Where the graph runs: `cpu` (the default), `webgpu`, `cuda` or `cuda:N`. Selection, sampling and the cache stay on the CPU. */
  readonly device?: string;
  /** How the linear layers are stored in memory; fewer bits decode faster and are less exact. Default `float32`. */
  readonly weights?: WeightFormat;
  /** Positions to make room for, prompt and new tokens together; at most what the model was made for. */
  readonly contextTokens?: number;
  /** Longest prompt in tokens. Default: the context less 512. */
  readonly maxPromptTokens?: number;
  /** Slots that are decoded together; a sweep with more distinct selections runs in several batches. Default 64. */
  readonly slots?: number;
  /** Bytes that the slots decoded together may take; a text whose slot alone takes more is refused. Default 2 GiB. */
  readonly slotBytes?: number;
  /**
   * Greedy tokens that one run of the graph may decode: a card takes over the cache once for all of them, while texts come in
   * pieces of that many, and joining, leaving and cancelling wait for the run. Default 8 on CUDA, 1 elsewhere.
   */
  readonly stepsPerRun?: number;
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
  /** `cpu`, `webgpu`, `cuda` or `cuda:N`. */
  readonly device: string;
  readonly dtype: string;
  readonly slots: number;
  readonly hasTokenizer: boolean;
  readonly hasChatTemplate: boolean;
  /** Compression methods. */
  readonly methods: readonly string[];
}

/** A prompt as text or as the whole list of token ids. */
export interface PromptInput {
  readonly source: { readonly text: string } | { readonly ids: readonly number[] };
  /** Cut to first half + last half over the limit, instead of refusing. */
  readonly truncate: boolean;
  /** The limit for this prompt, before wrapping; 0 = the model's. */
  readonly maxPromptTokens: number;
  readonly wrap: 'none' | 'inst' | 'chat';
}

export interface GenerateInput {
  readonly prompt: PromptInput;
  /** Absent: the full cache. */
  readonly compression: CompressionRequest | undefined;
  readonly maxNewTokens: number;
  readonly ignoreEos: boolean;
  readonly stop: readonly string[];
  /** Tokens that end the text beside the model's own end tokens. */
  readonly stopTokens?: readonly number[];
  /** Absent: greedy. */
  readonly sampling?: SamplingOptions;
  /** Most probable alternatives to tell with each token's log-probability; absent: neither. */
  readonly logprobs?: number;
}

export interface GenerateChunk {
  readonly text: string;
  readonly tokenIds: readonly number[];
  /** ln P of each token, when asked for. */
  readonly logProbs?: readonly TokenLogProb[];
}

/** How probable a token was, and the most probable ones in its place. */
export interface TokenLogProb {
  readonly logProb: number;
  readonly top: readonly { readonly token: number; readonly logProb: number }[];
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
  readonly stages: StageTimes;
}

export interface SweepInput {
  readonly prompt: PromptInput;
  readonly compressions: readonly CompressionRequest[];
  readonly maxNewTokens: number;
  readonly ignoreEos: boolean;
  readonly includeFull: boolean;
  /** Also tell ln P of the full cache's tokens under every compression. */
  readonly scoreFull?: boolean;
}

export interface Continuation {
  readonly text: string;
  readonly tokenIds: readonly number[];
  /** Per token of the full cache's text, when asked for: ln P(token | all before). */
  readonly logProbs?: readonly number[];
}

export interface SweepOutput {
  readonly full: Continuation | undefined;
  /** One per compression; `sameAs` is the first one that keeps the same positions everywhere. */
  readonly results: readonly (Continuation & { readonly sameAs: number | undefined; readonly keptTokens: number })[];
  readonly truncated: boolean;
  readonly promptTokens: number;
  /** Of one text with the first compression. */
  readonly cacheBytes: number;
  readonly fullCacheBytes: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly stages: StageTimes;
}

export interface InspectInput {
  readonly prompt: PromptInput;
  readonly compression: CompressionRequest;
  /** Layers to show; empty = all. */
  readonly layers: readonly number[];
  readonly withScores: boolean;
  /** Also tell how each layer's windowed scores are spread; the compression must be one that scores. */
  readonly withStatistics?: boolean;
  /** Compressions whose selections are compared with the one shown. */
  readonly compareWith?: readonly ComparedCompression[];
}

export interface ComparedCompression {
  readonly compression: CompressionRequest;
  /** What goes before its fields in errors, such as `compare.compressions[0].`. */
  readonly path: string;
}

export interface InspectedLayer {
  readonly layer: number;
  readonly heads: readonly { readonly positions: Int32Array; readonly scores: Float32Array }[];
  /** Where asked for. */
  readonly statistics?: ScoreStatistics;
}

export interface InspectOutput {
  readonly truncated: boolean;
  readonly promptTokens: number;
  readonly layers: readonly InspectedLayer[];
  /** One per compared compression: the mean Jaccard index over the layers shown, and the keys that it keeps. */
  readonly overlaps: readonly { readonly jaccard: number; readonly keptTokens: number }[];
}

export interface ScoreInput {
  readonly prompt: PromptInput;
  /** What follows the prompt: text, tokenised without special tokens, or ids. */
  readonly continuation: PromptInput['source'];
  /** Tokens that the continuation may have at most. */
  readonly maxTokens: number;
  /** Absent: the full cache. */
  readonly compression: CompressionRequest | undefined;
}

export interface ScoreOutput {
  readonly tokenIds: readonly number[];
  /** Per token ln P(token | prompt, all tokens before). */
  readonly logProbs: readonly number[];
  readonly truncated: boolean;
  readonly promptTokens: number;
  readonly keptTokens: number;
}
