import { A2sfError } from '@a2sf/errors';
import type { OnnxExport, Pooling } from '@a2sf/model-zoo';
import { int64, OnnxSession, type Feeds, type SessionOptions, type Tensor } from './onnx-session.js';
import { idBatch, type EncoderModel } from './text-encoder-model.js';

/** Outputs that hold token states [B, L, dimension], in the order they are looked for. */
const stateOutputs = ['last_hidden_state', 'token_embeddings'];
/** The output of an export that pools by itself, [B, dimension]. */
const pooledOutput = 'sentence_embedding';

/** What an input of an export holds for B texts of one length, none of them padded. */
const fillings: Readonly<Record<string, (texts: readonly (readonly number[])[]) => Tensor>> = {
  input_ids: idBatch,
  attention_mask: (texts) => constant(texts, () => 1),
  token_type_ids: (texts) => constant(texts, () => 0),
  position_ids: (texts) => constant(texts, (i) => i),
};

/**
 * The ONNX export of a sentence-transformers folder. It must read input_ids, and may read attention_mask, token_type_ids and
 * position_ids; it must put out token states or, where the folder names no pooling, may put out a finished embedding.
 *
 * Throws FAILED_PRECONDITION when it cannot be loaded (external data outside of its folder included) or does not fit.
 */
export async function openExportModel(
  exported: OnnxExport,
  pooling: Pooling | undefined,
  options: SessionOptions,
): Promise<EncoderModel> {
  const session = await OnnxSession.create(exported.path, options).catch((cause: unknown) => {
    throw refusal(
      'cannot be loaded: it is damaged, or its external data is missing or lies outside of its folder',
      cause,
    );
  });
  try {
    const output = chooseOutput(session.outputs, pooling);
    const unknown = session.inputs.find((name) => !Object.hasOwn(fillings, name));
    if (unknown !== undefined) {
      const known = Object.keys(fillings).join(', ');
      throw refusal(`the input ${unknown.slice(0, 120)} is not supported (known: ${known})`);
    }
    const run = async (texts: readonly (readonly number[])[]) => {
      const feeds: Feeds = Object.fromEntries(session.inputs.map((name) => [name, fillings[name]!(texts)]));
      return (await session.run(feeds, [output]))[output]!;
    };
    const { dimension, batches } = await probe(run, output, Math.min(3, exported.maxTokens));
    return {
      family: 'onnx',
      dimension,
      maxTokens: exported.maxTokens,
      vocab: exported.vocab,
      pooling: output === pooledOutput ? 'model' : 'mean',
      tableBytes: 0,
      batches,
      files: exported.files,
      run: async (texts) => ({
        data: (await run(texts)).data as Float32Array,
        rows: output === pooledOutput ? 1 : texts[0]!.length,
      }),
      dispose: () => session.dispose(),
    };
  } catch (error) {
    await session.dispose();
    throw error;
  }
}

function chooseOutput(outputs: readonly string[], pooling: Pooling | undefined): string {
  const states = stateOutputs.find((name) => outputs.includes(name));
  if (outputs.includes(pooledOutput) && (pooling === undefined || states === undefined)) return pooledOutput;
  if (states !== undefined) return states;
  throw refusal(`has none of the outputs ${[...stateOutputs, pooledOutput].join(', ')}`);
}

/** Runs the export once on two texts, or on one if it cannot take two: its dimension, and whether it batches. */
async function probe(
  run: (texts: readonly (readonly number[])[]) => Promise<Tensor>,
  output: string,
  length: number,
): Promise<{ readonly dimension: number; readonly batches: boolean }> {
  const text = Array.from({ length }, () => 0);
  const attempt = async (size: number): Promise<number> => {
    const { dims, type } = await run(Array.from({ length: size }, () => text));
    const dimension = dims.at(-1) ?? 0;
    const wanted = output === pooledOutput ? [size, dimension] : [size, length, dimension];
    if (type !== 'float32') throw refusal(`the output ${output} is ${type}, must be float32`);
    if (dimension < 1 || dims.length !== wanted.length || dims.some((size, axis) => size !== wanted[axis])) {
      throw refusal(`the output ${output} has shape [${dims.join(', ')}] for ${size} texts of ${length} tokens`);
    }
    return dimension;
  };
  try {
    return { dimension: await attempt(2), batches: true };
  } catch {
    const one = attempt(1).catch((cause: unknown) => {
      throw cause instanceof A2sfError ? cause : refusal(`cannot read ${length} tokens`, cause);
    });
    return { dimension: await one, batches: false };
  }
}

function constant(texts: readonly (readonly number[])[], value: (i: number) => number): Tensor {
  const length = texts[0]!.length;
  const row = Array.from({ length }, (_, i) => value(i));
  return int64(
    texts.flatMap(() => row),
    [texts.length, length],
  );
}

function refusal(problem: string, cause?: unknown): A2sfError {
  return new A2sfError('FAILED_PRECONDITION', `onnx/model.onnx: ${problem}`, {
    field: 'model_name',
    reason: 'bad-onnx-export',
    cause,
  });
}
