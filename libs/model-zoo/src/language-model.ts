import type { Value } from '@a2sf/onnx-graph';
import type { ConfigReader } from './config-reader.js';
import type { DecoderGraph } from './decoder-graph.js';

/** The sizes of a decoder-only language model. */
export interface LanguageModelShape {
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocab: number;
  /** Positions the model was made for: prompt and new tokens together. */
  readonly maxPositions: number;
}

/**
 * A family of language models: config.json -> ONNX graph. Every family's graph has the same inputs and outputs, so that
 * one engine drives them all. One graph serves prefill and decode, so that the weights are loaded once; `decode` picks
 * the form of the attention.
 *
 * Sizes: B rows, S new tokens a row, H query heads, G KV heads, D head size, P keys in the cache buffers, A windows,
 * R rows whose logits are wanted, V vocabulary, T = past_length + S.
 *
 * | input | shape | |
 * | --- | --- | --- |
 * | ids | [B, S] int64 | new tokens |
 * | positions | [B, S] int64 | their positions in the prompt or text |
 * | decode | [] bool | false: prefill a chunk (B = 1); true: S new tokens a row |
 * | past_length | [1] int64 | prefill: cached keys to attend over, at the front of the buffers |
 * | mask | prefill [S, T], decode [B, P] float32 | added to the attention logits: 0 or a large negative number |
 * | windows | [A, S] float32 | prefill: window weights of these queries |
 * | logit_rows | [R] int64 | rows of the flattened [B * S] whose logits are wanted |
 * | targets | [R] or [0] int64 | tokens whose log-probability is wanted, one per logit row, or none |
 * | past_key.l, past_value.l | [B, G, P, D] float32 | the cache; only ever an input |
 * | steps | [] int64 | graphs with a loop alone: 0, or how many tokens to decode greedily in this run (S = 1); the outputs are then those of that many new tokens, `next` step by step |
 *
 * | output | shape | |
 * | --- | --- | --- |
 * | next | [R] int64 | the most probable token, the lowest id on ties |
 * | logits | [R, V] float32 | |
 * | log_probs | [R] or [0] float32 | ln P(target) |
 * | key.l, value.l | [B, G, S, D] float32 | the new rows alone |
 * | scores.l | [G, A, T] float32 | prefill: sum over the query heads of a KV head and over this chunk's queries of w(q) P[q, k] |
 */
export interface LanguageModelFamily {
  /** Name in GetInfo. */
  readonly name: string;
  /** `architectures` entries of config.json that this family computes. */
  readonly architectures: readonly string[];
  /** What may stand before the tensor names that `layers` asks for, the likeliest first. */
  readonly weightPrefixes: readonly string[];
  readShape(config: ConfigReader): LanguageModelShape;
  /**
   * Adds the layers to a graph.
   * @param positions rows of the position tables: the longest prompt and its new tokens.
   * @returns the logits of the wanted rows: [R, V].
   */
  layers(decoder: DecoderGraph, config: ConfigReader, positions: number): Value;
}
