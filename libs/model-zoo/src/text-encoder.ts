import type { ConfigReader } from './config-reader.js';
import type { ModelWeights } from './model-weights.js';

/** The sizes of a text encoder. */
export interface TextEncoderShape {
  /** Length of an embedding. */
  readonly dimension: number;
  /** Longest input in tokens, special tokens included. */
  readonly maxTokens: number;
  readonly vocab: number;
}

/** An input of a graph as plain data. */
export type TableInput =
  | { readonly type: 'float32'; readonly data: Float32Array; readonly shape: readonly number[] }
  | { readonly type: 'int64'; readonly data: readonly number[]; readonly shape: readonly number[] };
export type TableInputs = Readonly<Record<string, TableInput>>;

/**
 * Inputs of an encoder's graph that follow from the length of the text alone, such as convolution filters. They come in
 * parts; a part is made once and reused for every text that needs it.
 */
export interface LengthTables {
  /** The parts that a text of this many tokens needs: together they are all inputs of the graph but the text. */
  partsOf(length: number): readonly TablePart[];
}

export interface TablePart {
  /** Parts of one key are the same. */
  readonly key: string;
  /** Bytes of the tables, all of them. */
  readonly bytes: number;
  /** Inputs of the encoder's graph as they are. */
  direct(): TableInputs;
  /** Graphs that compute the rest, run one after the other: only one at a time holds its intermediate results. */
  steps(): Iterable<TableStep>;
  /** A part for the same inputs that serves more lengths, or is smaller: the graph makes of it in every run what this one holds. */
  readonly instead?: TablePart;
}

/** A graph over the weights whose outputs are inputs of the encoder's graph, by the same name. */
export interface TableStep {
  readonly graph: Uint8Array;
  readonly inputs: TableInputs;
  readonly outputs: readonly string[];
}

/**
 * How the states of a text's tokens h_0 .. h_{L-1} become one vector: `cls` h_0, `mean` sum_i h_i / L, `mean_sqrt_len`
 * sum_i h_i / sqrt(L), `max` the largest of every component.
 */
export type Pooling = 'cls' | 'mean' | 'mean_sqrt_len' | 'max';

/**
 * What the graph puts out: `cls` [dimension], row 0 of the last hidden states; or `hidden_states` [L, dimension], all
 * rows. Families that batch put the axis B in front.
 */
export type TextEncoderOutput = 'cls' | 'hidden_states';

/** The computation of one encoder: a graph with the input `ids` int64, the tables if it has any, and one output. */
export interface TextEncoderGraph {
  readonly graph: Uint8Array;
  readonly tables?: LengthTables;
}

/** A family of text encoders: config.json -> ONNX graph. Never padded: L is the text's own length. */
export interface TextEncoderFamily {
  readonly name: string;
  /** How token states become one vector, unless the model's folder says otherwise. */
  readonly pooling: Pooling;
  /** True when a run takes texts of one length, `ids` [B, L]; otherwise it takes one text, `ids` [L]. */
  readonly batches?: boolean;
  /** The mark in config.json that this family goes by, in words. */
  readonly mark: string;
  recognises(config: ConfigReader): boolean;
  /** What may stand in front of the tensors' names, in the order it is tried. */
  readonly weightPrefixes: readonly string[];
  readShape(config: ConfigReader): TextEncoderShape;
  buildGraph(config: ConfigReader, weights: ModelWeights, output: TextEncoderOutput): TextEncoderGraph;
}
