import { A2sfError, isA2sfError } from '@a2sf/errors';
import {
  hasOnnxExport,
  ModelWeights,
  openOnnxExport,
  readModelConfig,
  readSentenceTransformersHead,
  textEncoderFamilies,
  textEncoderFamilyOf,
  type ConfigReader,
  type SentenceTransformersHead,
} from '@a2sf/model-zoo';
import { modelIdentity } from './model-identity.js';
import { equalLengthBatches } from './text-encoder-batches.js';
import { openExportModel } from './text-encoder-export.js';
import { EncoderInputReader, type EncoderIds } from './text-encoder-input.js';
import { openFamilyModel, type EncoderModel } from './text-encoder-model.js';
import { normalised, pool } from './text-encoder-pooling.js';
import type { Encoded, EncodeInput, SentenceEncoderInfo, SentenceEncoderOptions } from './text-encoder-types.js';
import { Tokenizer } from './tokenizer.js';

const defaultMaxBatchTokens = 2048;

/**
 * A text encoder on onnxruntime: text or token ids -> one vector, pooled and normalised as the model's folder says. Texts
 * are never padded: those of one length run together where the model can do that, others alone. Blocks the thread it runs
 * on; use SentenceEncoderHost in a service.
 */
export class SentenceEncoder {
  private disposed = false;

  private constructor(
    readonly info: SentenceEncoderInfo,
    private readonly reader: EncoderInputReader,
    private readonly model: EncoderModel,
    private readonly options: SentenceEncoderOptions,
  ) {}

  /**
   * Loads a model folder: a known family from its weights, any other model from the ONNX export that the folder ships.
   * NOT_FOUND, DATA_LOSS: files missing or damaged; FAILED_PRECONDITION: an architecture or an export that is not known.
   */
  static async load(options: SentenceEncoderOptions): Promise<SentenceEncoder> {
    const { folder, name } = options;
    const config = readModelConfig(folder);
    const head = readSentenceTransformersHead(folder);
    const tokenizer = Tokenizer.load(folder);
    const model = await openModel(config, head, options);
    const { family, dimension, vocab } = model;
    const maxTokens = Math.min(model.maxTokens, head.maxTokens ?? Infinity);
    const info: SentenceEncoderInfo = {
      model: name,
      encoderId: await modelIdentity(name, folder, [...model.files, ...head.files]),
      family,
      dimension,
      maxTokens,
      vocab,
      pooling: model.pooling === 'model' ? 'model' : (head.pooling ?? model.pooling),
      normalised: head.normalised,
      device: options.device ?? 'cpu',
      hasTokenizer: tokenizer !== undefined,
    };
    return new SentenceEncoder(info, new EncoderInputReader(tokenizer, maxTokens, vocab), model, options);
  }

  /** Bytes of the kept tables that follow from the length of a text. */
  get tableBytes(): number {
    return this.model.tableBytes;
  }

  /** Encodes one input. `field` is where it stands in the request, for error messages. */
  async encode(input: EncodeInput, field = 'input'): Promise<Encoded> {
    this.reader.check(input, field);
    const read = this.reader.read(input);
    if (read.ids.length === 0) return this.blank();
    return (await this.encodeBatch([read], [field]))[0]!;
  }

  /**
   * Encodes inputs in their order. All are checked before the first is computed; `checkCancelled` is called before each is
   * read and before each run. Errors name `inputs[i]`.
   */
  async encodeAll(inputs: readonly EncodeInput[], checkCancelled: () => void = () => {}): Promise<Encoded[]> {
    inputs.forEach((input, i) => this.reader.check(input, `inputs[${i}]`));
    const read = inputs.map((input) => (checkCancelled(), this.reader.read(input)));
    const encoded = inputs.map(() => this.blank());
    const maxTokens = this.model.batches ? (this.options.maxBatchTokens ?? defaultMaxBatchTokens) : 1;
    const lengths = read.map(({ ids }) => ids.length);
    for (const batch of equalLengthBatches(lengths, maxTokens)) {
      checkCancelled();
      const texts = batch.map((i) => read[i]!);
      const vectors = await this.encodeBatch(
        texts,
        batch.map((i) => `inputs[${i}]`),
      );
      batch.forEach((i, at) => (encoded[i] = vectors[at]!));
    }
    return encoded;
  }

  /** The last hidden states of token ids, [L, dimension]; only with `output: 'hidden_states'`. */
  async hiddenStates(ids: readonly number[]): Promise<Float32Array> {
    if (this.options.output !== 'hidden_states' || this.info.pooling === 'model') {
      const message = 'the encoder was loaded for one vector a text; load it with the output hidden_states';
      throw new A2sfError('FAILED_PRECONDITION', message, { reason: 'no-hidden-states' });
    }
    this.reader.check({ ids }, 'input');
    const read = this.reader.read({ ids });
    return read.ids.length === 0 ? new Float32Array(0) : (await this.model.run([read.ids])).data;
  }

  /** Frees the sessions. May be called more than once. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    await this.model.dispose();
  }

  private blank(): Encoded {
    return { values: new Float32Array(this.info.dimension), tokens: 0, truncated: false, empty: true };
  }

  /** Texts of one length, in one run. */
  private async encodeBatch(texts: readonly EncoderIds[], fields: readonly string[]): Promise<Encoded[]> {
    const { dimension, pooling } = this.info;
    const { data, rows } = await this.model.run(texts.map(({ ids }) => ids));
    return texts.map(({ ids, truncated }, i) => {
      const pooled = pool(data.subarray(i * rows * dimension, (i + 1) * rows * dimension), dimension, pooling);
      const values = this.info.normalised ? normalised(pooled) : pooled;
      if (!values.every(Number.isFinite)) throw notFinite(fields[i]!);
      return { values, tokens: ids.length, truncated, empty: false };
    });
  }
}

/** A known family is computed from its weights; everything else by the folder's ONNX export, if there is one. */
async function openModel(
  config: ConfigReader,
  head: SentenceTransformersHead,
  { folder, threads, device, output, tableBytes }: SentenceEncoderOptions,
): Promise<EncoderModel> {
  const exported = hasOnnxExport(folder);
  const known = textEncoderFamilies.some((family) => family.recognises(config));
  if (known || !exported) {
    const family = textEncoderFamilyOf(config);
    const weights = openWeights(folder, family.weightPrefixes, exported);
    if (weights !== undefined) {
      if (device === 'webgpu' && family.name === 'bert') throw wrongOnWebgpu();
      const rowZero = output !== 'hidden_states' && (head.pooling ?? family.pooling) === 'cls';
      const states = rowZero ? 'cls' : 'hidden_states';
      return openFamilyModel(family, config, weights, states, { threads, device, tableBytes });
    }
  }
  return openExportModel(openOnnxExport(folder, config), head.pooling, { threads, device });
}

/** The weights of a folder; undefined when there are none but something else will do. */
function openWeights(folder: string, prefixes: readonly string[], optional: boolean): ModelWeights | undefined {
  try {
    return new ModelWeights(folder, prefixes);
  } catch (error) {
    if (optional && isA2sfError(error) && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** Measured with onnxruntime-node 1.30: from 32 tokens on WebGPU's MultiHeadAttention errs by 1e-2, on SwiftShader at least. */
function wrongOnWebgpu(): A2sfError {
  const message =
    '--device: BERT is not computed right by this version of the WebGPU provider; use --device cpu or cuda';
  return new A2sfError('FAILED_PRECONDITION', message, { field: 'device', reason: 'device-not-available' });
}

function notFinite(field: string): A2sfError {
  const message = `${field}: the encoder computed a number that is not finite; its weights may be damaged`;
  return new A2sfError('DATA_LOSS', message, { field, reason: 'not-finite' });
}
