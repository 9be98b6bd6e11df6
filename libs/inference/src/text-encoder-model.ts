import type { ConfigReader, ModelWeights, Pooling, TextEncoderFamily, TextEncoderOutput } from '@a2sf/model-zoo';
import { int64, OnnxSession, type SessionOptions } from './onnx-session.js';
import { TableCache } from './text-encoder-tables.js';

/** Token states of texts of one length. */
export interface TokenStates {
  /** [B, rows, dimension] */
  readonly data: Float32Array;
  /** L, or 1 where the model puts out one row a text. */
  readonly rows: number;
}

/** The part of an encoder between token ids and pooling. */
export interface EncoderModel {
  readonly family: string;
  readonly dimension: number;
  /** Longest input that the model can read. */
  readonly maxTokens: number;
  readonly vocab: number;
  /** How its states are pooled unless the folder says otherwise; `model` when it pools by itself. */
  readonly pooling: Pooling | 'model';
  /** Whether a run takes several texts. */
  readonly batches: boolean;
  /** Files that the identity is made of, besides config.json. */
  readonly files: readonly string[];
  /** Bytes of the tables that are kept. */
  readonly tableBytes: number;
  /** Runs texts of one length L >= 1; one text alone unless the model batches. Blocks the thread. */
  run(texts: readonly (readonly number[])[]): Promise<TokenStates>;
  dispose(): Promise<void>;
}

/** Token ids as the input [B, L]. */
export function idBatch(texts: readonly (readonly number[])[]) {
  return int64(texts.flat(), [texts.length, texts[0]!.length]);
}

/** A model of a known family, computed from its weights. With the output `cls` it computes no more than row 0 needs. */
export async function openFamilyModel(
  family: TextEncoderFamily,
  config: ConfigReader,
  weights: ModelWeights,
  output: TextEncoderOutput,
  { threads, device, tableBytes }: SessionOptions & { readonly tableBytes: number | undefined },
): Promise<EncoderModel> {
  const shape = family.readShape(config);
  const { graph, tables } = family.buildGraph(config, weights, output);
  const batches = family.batches === true;
  const options: SessionOptions = {
    threads,
    device,
    weightFolder: weights.folder,
  };
  const session = await OnnxSession.create(graph, options);
  const cache = tables === undefined ? undefined : new TableCache(tables, options, tableBytes);
  return {
    ...shape,
    family: family.name,
    pooling: family.pooling,
    batches,
    files: weights.files,
    get tableBytes() {
      return cache?.bytes ?? 0;
    },
    async run(texts) {
      const length = texts[0]!.length;
      if (!batches && texts.length !== 1) throw new Error(`${family.name} takes one text a run`);
      const ids = batches ? idBatch(texts) : int64(texts[0]!, [length]);
      const result = await session.run({ ...(await cache?.feeds(length)), ids }, [output]);
      return { data: result[output]!.data as Float32Array, rows: output === 'cls' ? 1 : length };
    },
    async dispose() {
      await session.dispose();
      cache?.dispose();
    },
  };
}
