import { A2sfError } from '@a2sf/errors';
import { ModelWeights, readModelConfig, textEncoderFamilyOf, type TextEncoderOutput } from '@a2sf/model-zoo';
import { modelIdentity } from './model-identity.js';
import { int64, OnnxSession } from './onnx-session.js';
import { EncoderInputReader } from './text-encoder-input.js';
import { TableCache } from './text-encoder-tables.js';
import type { Encoded, EncodeInput, SentenceEncoderInfo, SentenceEncoderOptions } from './text-encoder-types.js';
import { Tokenizer } from './tokenizer.js';

/**
 * A text encoder on onnxruntime: text or token ids -> one vector, row 0 of the last hidden states, not normalised. Texts
 * run one by one and are never padded. Blocks the thread it runs on; use SentenceEncoderHost in a service.
 */
export class SentenceEncoder {
  private disposed = false;

  private constructor(
    readonly info: SentenceEncoderInfo,
    private readonly reader: EncoderInputReader,
    private readonly session: OnnxSession,
    private readonly tables: TableCache,
    private readonly output: TextEncoderOutput,
  ) {}

  /** Loads a model folder. NOT_FOUND, DATA_LOSS: files missing or damaged; FAILED_PRECONDITION: an unknown architecture. */
  static async load(options: SentenceEncoderOptions): Promise<SentenceEncoder> {
    const { folder, name, threads, output = 'cls' } = options;
    const config = readModelConfig(folder);
    const family = textEncoderFamilyOf(config);
    const { dimension, maxTokens, vocab } = family.readShape(config);
    const weights = new ModelWeights(folder, family.weightPrefixes);
    const { graph, tables } = family.buildGraph(config, weights, output);
    const tokenizer = Tokenizer.load(folder);
    const info: SentenceEncoderInfo = {
      model: name,
      encoderId: await modelIdentity(name, folder, weights.files),
      family: family.name,
      dimension,
      maxTokens,
      vocab,
      pooling: family.pooling,
      device: 'cpu',
      hasTokenizer: tokenizer !== undefined,
    };
    const sessionOptions = { threads, weightFolder: weights.folder };
    const reader = new EncoderInputReader(tokenizer, maxTokens, vocab);
    const session = await OnnxSession.create(graph, sessionOptions);
    return new SentenceEncoder(info, reader, session, await TableCache.create(tables, sessionOptions), output);
  }

  /** Encodes one input. `field` is where it stands in the request, for error messages. */
  async encode(input: EncodeInput, field = 'input'): Promise<Encoded> {
    this.reader.check(input, field);
    const { ids, truncated } = this.reader.read(input);
    if (ids.length === 0) {
      return { values: new Float32Array(this.info.dimension), tokens: 0, truncated: false, empty: true };
    }
    const states = await this.run(ids);
    const values = states.slice(0, this.info.dimension);
    if (!values.every(Number.isFinite)) {
      throw new A2sfError(
        'DATA_LOSS',
        `${field}: the encoder computed a number that is not finite; its weights may be damaged`,
        {
          field,
          reason: 'not-finite',
        },
      );
    }
    return { values, tokens: ids.length, truncated, empty: false };
  }

  /**
   * Encodes inputs in their order. All are checked before the first is computed; `checkCancelled` is called before each.
   * Errors name `inputs[i]`.
   */
  async encodeAll(inputs: readonly EncodeInput[], checkCancelled: () => void = () => {}): Promise<Encoded[]> {
    inputs.forEach((input, i) => this.reader.check(input, `inputs[${i}]`));
    const encoded: Encoded[] = [];
    for (const [i, input] of inputs.entries()) {
      checkCancelled();
      encoded.push(await this.encode(input, `inputs[${i}]`));
    }
    return encoded;
  }

  /** The last hidden states of token ids, [L, dimension]; only with `output: 'hidden_states'`. */
  async hiddenStates(ids: readonly number[]): Promise<Float32Array> {
    if (this.output !== 'hidden_states') {
      const message = 'the encoder was loaded for one vector a text; load it with the output hidden_states';
      throw new A2sfError('FAILED_PRECONDITION', message, { reason: 'no-hidden-states' });
    }
    this.reader.check({ ids }, 'input');
    const read = this.reader.read({ ids });
    return read.ids.length === 0 ? new Float32Array(0) : await this.run(read.ids);
  }

  /** Frees the sessions. May be called more than once. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    await this.session.dispose();
    await this.tables.dispose();
  }

  private async run(ids: readonly number[]): Promise<Float32Array> {
    const feeds = { ...(await this.tables.feeds(ids.length)), ids: int64(ids, [ids.length]) };
    const result = await this.session.run(feeds, [this.output]);
    return result[this.output]!.data as Float32Array;
  }
}
