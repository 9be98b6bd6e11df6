import { GraphBuilder, type Value } from '@a2sf/onnx-graph';
import type { ConfigReader } from './config-reader.js';
import type { ModelWeights } from './model-weights.js';
import type { TextEncoderOutput, TextEncoderShape } from './text-encoder.js';

/** Queries, keys and values of one attention, each [B, L, hidden]; the queries have one row where only row 0 is wanted. */
export interface AttentionInputs {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
}

/** What a family adds to the parts that all relatives of BERT share. */
export interface BertParts {
  /** True when a learned vector of its position is added to every token. */
  readonly positions: boolean;
  /** [B, rows, hidden] -> [B, rows, hidden]. */
  attend(inputs: AttentionInputs): Value;
  /** From the attention's normalised output to the layer's, both [N, hidden]. */
  feedForward(x: Value, at: string): Value;
}

/** The sizes in the config.json of a relative of BERT. */
export function readBertShape(config: ConfigReader): TextEncoderShape {
  config.expect('is_decoder', [false]);
  config.expect('add_cross_attention', [false]);
  const dimension = config.size('hidden_size');
  const heads = config.size('num_attention_heads');
  if (dimension % heads !== 0)
    throw config.error('hidden_size', `must be a multiple of num_attention_heads (${heads})`);
  return { dimension, maxTokens: config.size('max_position_embeddings'), vocab: config.size('vocab_size') };
}

/** What may stand in front of the tensors' names: the bare model's names, or those of a model with a head. */
export const bertPrefixes: readonly string[] = ['', 'bert.'];

/**
 * The graph of a relative of BERT (arXiv 1810.04805), layers normalised after their residual sum:
 *
 *     x = LN(words[ids] + types[0] (+ positions[0..L-1]))
 *     x = LN(x + O attend(Q x, K x, V x)), x = feedForward(x)     for every layer
 *
 * It takes B texts of one length, `ids` [B, L]; the products run over all N = B L tokens at once. For the output `cls` the
 * last layer computes row 0 of every text alone.
 */
export class BertGraph {
  readonly g = new GraphBuilder();
  readonly ids: Value;
  readonly hidden: number;
  private readonly epsilon: number;

  constructor(
    private readonly config: ConfigReader,
    private readonly weights: ModelWeights,
  ) {
    this.hidden = config.size('hidden_size');
    this.epsilon = config.positive('layer_norm_eps', 1e-12);
    this.ids = this.g.input('ids', 'int64', ['B', 'L']);
  }

  /** W x + b. [N, input] -> [N, out]. */
  linear(x: Value, at: string, out: number, input: number): Value {
    return this.weights.product(this.g, x, `${at}.weight`, [out, input], this.weights.add(this.g, `${at}.bias`, [out]));
  }

  /** W x. [N, input] -> [N, out]. */
  product(x: Value, at: string, out: number, input: number): Value {
    return this.weights.product(this.g, x, `${at}.weight`, [out, input]);
  }

  /** LayerNorm(x + y), or of x alone. Checkpoints that were converted from TensorFlow call its weights gamma and beta. */
  norm(at: string, x: Value, y?: Value): Value {
    const old = !this.weights.has(`${at}.weight`) && this.weights.has(`${at}.gamma`);
    const [scale, shift] = (old ? ['gamma', 'beta'] : ['weight', 'bias']).map((name) =>
      this.weights.add(this.g, `${at}.${name}`, [this.hidden]),
    ) as [Value, Value];
    const sum = y === undefined ? x : this.g.op('Add', [x, y]);
    return this.g.op('LayerNormalization', [sum, scale, shift], { axis: -1, epsilon: { float: this.epsilon } });
  }

  build(output: TextEncoderOutput, parts: BertParts): Uint8Array {
    const { g, hidden: d } = this;
    const layers = this.config.size('num_hidden_layers');
    const batch = g.op('Shape', [this.ids], { start: 0, end: 1 });
    const split = (x: Value): Value => g.op('Reshape', [x, g.op('Concat', [batch, g.ints(-1, d)], { axis: 0 })]);
    const flat = (x: Value): Value => g.op('Reshape', [x, g.ints(-1, d)]);

    let x = flat(this.embed(parts.positions)); // [N, d]
    for (let layer = 0; layer < layers; layer++) {
      const at = `encoder.layer.${layer}`;
      const project = (rows: Value, name: string): Value =>
        split(this.linear(rows, `${at}.attention.self.${name}`, d, d));
      const firstOnly = output === 'cls' && layer === layers - 1;
      const rows = firstOnly ? g.op('Gather', [split(x), g.int(0)], { axis: 1 }) : x; // [B or N, d]
      const attended = parts.attend({
        query: project(rows, 'query'),
        key: project(x, 'key'),
        value: project(x, 'value'),
      });
      const mixed = this.linear(flat(attended), `${at}.attention.output.dense`, d, d);
      x = parts.feedForward(this.norm(`${at}.attention.output.LayerNorm`, mixed, rows), at);
    }
    if (output === 'cls') g.output('cls', x, 'float32', ['B', d]);
    else g.output('hidden_states', split(x), 'float32', ['B', 'L', d]);
    return g.serialize();
  }

  /** The normalised sum of a token's embeddings, [B, L, d]. */
  private embed(positions: boolean): Value {
    const { g, hidden: d } = this;
    const table = (name: string, rows: number): Value =>
      this.weights.add(g, `embeddings.${name}_embeddings.weight`, [rows, d]);
    const words = g.op('Gather', [table('word', this.config.size('vocab_size')), this.ids]);
    const types = table('token_type', this.config.size('type_vocab_size', 2));
    let sum = g.op('Add', [words, g.op('Slice', [types, g.ints(0), g.ints(1), g.ints(0)])]);
    if (positions) {
      const places = table('position', this.config.size('max_position_embeddings'));
      const length = g.op('Shape', [this.ids], { start: 1, end: 2 });
      sum = g.op('Add', [sum, g.op('Slice', [places, g.ints(0), length, g.ints(0)])]);
    }
    return this.norm('embeddings.LayerNorm', sum);
  }
}
