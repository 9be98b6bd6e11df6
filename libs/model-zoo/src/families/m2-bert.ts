import { GraphBuilder, type Value } from '@a2sf/onnx-graph';
import { BlockFourier } from '../block-fourier.js';
import type { ConfigReader } from '../config-reader.js';
import { HyenaFilters, type HyenaFilter } from '../hyena-filters.js';
import { hyenaTables } from '../hyena-tables.js';
import { LongConvolutions } from '../long-convolution.js';
import type { ModelWeights } from '../model-weights.js';
import type { TextEncoderFamily, TextEncoderGraph, TextEncoderOutput, TextEncoderShape } from '../text-encoder.js';

/** M2-BERT, the Monarch Mixer encoder (arXiv 2310.12109): long convolutions instead of attention, a block-diagonal MLP. */
export const m2Bert: TextEncoderFamily & { readonly buildGraph: typeof buildGraph } = {
  name: 'm2-bert',
  pooling: 'cls',
  mark: '"monarch_mixer_sequence_mixing": true',
  recognises: (config) => config.raw('monarch_mixer_sequence_mixing') === true,
  weightPrefixes: ['', 'model.', 'module.', 'model.module.', 'module.model.'].flatMap((outer) => [
    `${outer}bert.`,
    outer,
  ]),
  readShape,
  buildGraph,
};

function readShape(config: ConfigReader): TextEncoderShape {
  for (const name of [
    'bidirectional',
    'residual_long_conv',
    'use_glu_mlp',
    'use_monarch_mlp',
    'use_positional_encodings',
  ]) {
    config.expect(name, [true]);
  }
  config.expect('hyena_training_additions', [false]);
  config.expect('pool_all', [false]);
  config.expect('hidden_act', ['gelu']);
  const blocks = config.size('monarch_mlp_nblocks', 4);
  if (blocks % 2 !== 0) throw config.error('monarch_mlp_nblocks', 'must be even');
  const dimension = config.size('hidden_size');
  for (const name of ['hidden_size', 'intermediate_size']) {
    if (config.size(name) % blocks !== 0)
      throw config.error(name, `must be a multiple of monarch_mlp_nblocks (${blocks})`);
  }
  const maxTokens = config.size('max_position_embeddings');
  const positions = config.size('long_conv_l_max', maxTokens);
  if (positions < maxTokens)
    throw config.error('long_conv_l_max', `must be at least max_position_embeddings (${maxTokens})`);
  return { dimension, maxTokens, vocab: config.size('vocab_size') };
}

/** The two long convolutions of a layer: of the gated projection, and of the mixer's input (the residual one). */
const convolutions = ['filter_fn', 'filter_fn2'] as const;
const filterOf = (layer: number, which: (typeof convolutions)[number]): HyenaFilter => ({
  name: `${layer}.${which}`,
  at: `encoder.layer.${layer}.attention.${which}`,
});

function buildGraph(
  config: ConfigReader,
  weights: ModelWeights,
  output: TextEncoderOutput,
  tableBytes?: number,
): TextEncoderGraph {
  const { dimension: d, maxTokens, vocab } = readShape(config);
  const layers = config.size('num_hidden_layers');
  const g = new GraphBuilder();
  const ids = g.input('ids', 'int64', ['L']);
  const length = g.op('Shape', [ids]);
  const filters = readFilters(config, weights);
  const long = new LongConvolutions(g, new BlockFourier(g), filters, length);
  const epsilon = config.positive('layer_norm_eps', 1e-12);
  const norm = (x: Value, at: string): Value =>
    g.op('LayerNormalization', [x, weights.add(g, `${at}.weight`, [d]), weights.add(g, `${at}.bias`, [d])], {
      axis: -1,
      epsilon: { float: epsilon },
    });
  const linear = (x: Value, at: string, out: number, input: number): Value =>
    g.op('Gemm', [x, weights.add(g, `${at}.weight`, [out, input]), weights.add(g, `${at}.bias`, [out])], { transB: 1 });
  const firstRow = (x: Value): Value => g.op('Slice', [x, g.ints(0), g.ints(1), g.ints(0)]);

  // The published code rounds the vocabulary up to a multiple of 8.
  const words = weights.add(g, 'embeddings.word_embeddings.weight', [8 * Math.ceil(vocab / 8), d]);
  const types = weights.add(g, 'embeddings.token_type_embeddings.weight', [config.size('type_vocab_size', 2), d]);
  const places = weights.add(g, 'embeddings.position_embeddings.weight', [maxTokens, d]);
  const position = g.op('Slice', [places, g.ints(0), length, g.ints(0)]);
  const embedded = g.op('Add', [g.op('Add', [g.op('Gather', [words, ids]), firstRow(types)]), position]);
  let x = norm(embedded, 'embeddings.LayerNorm'); // [L, d]
  for (let layer = 0; layer < layers; layer++) {
    const at = `encoder.layer.${layer}`;
    // Of the last layer only row 0 is wanted: its convolutions are one sum over the rows, and the rest runs on one row.
    const firstOnly = output === 'cls' && layer === layers - 1;
    const convolve = firstOnly ? long.first.bind(long) : long.all.bind(long);
    // Three products instead of one that is then split: of x2 the last layer needs one row, and no copies are made.
    const third = (rows: Value, i: number): Value => {
      const part = (w: Value): Value => g.op('Slice', [w, g.ints(i * d), g.ints((i + 1) * d), g.ints(0)]);
      const w = weights.add(g, `${at}.attention.in_linear.weight`, [3 * d, d]);
      const bias = weights.add(g, `${at}.attention.in_linear.bias`, [3 * d]);
      return g.op('Gemm', [rows, part(w), part(bias)], { transB: 1 });
    };
    const short = shortConvolution(g, weights, `${at}.attention.short_filter`, d);
    const x1 = short(third(x, 0), 0);
    const x2 = short(third(firstOnly ? firstRow(x) : x, 1), 1);
    const v = short(third(x, 2), 2);
    const gated = convolve(g.op('Mul', [v, x1]), filterOf(layer, 'filter_fn'));
    const residual = convolve(x, filterOf(layer, 'filter_fn2'));
    const mixed = g.op('Add', [g.op('Mul', [gated, x2]), residual]);
    const y = linear(mixed, `${at}.attention.out_linear`, d, d); // [L or 1, d]
    x = norm(g.op('Add', [y, gatedMlp(g, weights, config, y, `${at}.mlp`)]), `${at}.mlp.layernorm`);
  }
  if (output === 'cls') g.output('cls', g.op('Reshape', [x, g.ints(d)]), 'float32', [d]);
  else g.output('hidden_states', x, 'float32', ['L', d]);
  const all = Array.from({ length: layers }, (_, layer) => convolutions.map((which) => filterOf(layer, which)));
  const rowZero = output === 'cls' ? all.splice(-1) : [];
  return { graph: g.serialize(), tables: hyenaTables(filters, all.flat(), rowZero.flat(), tableBytes) };
}

/**
 * s_i = w[2] p_i + w[1] p_{i-1} + w[0] p_{i-2} + b per channel, p_{-1} = p_{-2} = 0, for one third of the projection's
 * channels: shifted copies, which is quicker than a grouped convolution. [L, d] -> [L, d].
 */
function shortConvolution(g: GraphBuilder, weights: ModelWeights, at: string, d: number) {
  const taps = weights.add(g, `${at}.weight`, [3 * d, 1, 3]);
  const bias = weights.add(g, `${at}.bias`, [3 * d]);
  return (p: Value, third: number): Value => {
    const from = third * d;
    const tap = (t: number): Value =>
      g.op('Reshape', [g.op('Slice', [taps, g.ints(from, t), g.ints(from + d, t + 1), g.ints(0, 2)]), g.ints(d)]);
    const back = (rows: number): Value => (rows === 0 ? p : g.op('Pad', [p, g.ints(rows, 0, -rows, 0)]));
    const terms = [0, 1, 2].map((rows) => g.op('Mul', [back(rows), tap(2 - rows)]));
    const sum = g.op('Add', [g.op('Add', [terms[0]!, terms[1]!]), terms[2]!]);
    return g.op('Add', [sum, g.op('Slice', [bias, g.ints(from), g.ints(from + d), g.ints(0)])]);
  };
}

/**
 * MLP(y) = BD_wo(gelu(h[0:I]) * h[I:2I]) + b, h = BD_gated(y), where BD multiplies block b of the input by its own matrix
 * [out/B, in/B]. With an even number B of blocks, what block q of BD_wo reads comes from two halves of blocks of BD_gated:
 *
 *     m_q = gelu(G_q y_{q div 2}) * (G_{B+q} y_{B/2 + q div 2}),  G [2B, I/B, d/B] the halves of the gated blocks in order
 *
 * so it goes by q, and nothing wider than I/B is in memory. [L, d] -> [L, d].
 */
function gatedMlp(g: GraphBuilder, weights: ModelWeights, config: ConfigReader, y: Value, at: string): Value {
  const d = config.size('hidden_size');
  const I = config.size('intermediate_size');
  const B = config.size('monarch_mlp_nblocks', 4);
  const gated = g.op('Reshape', [
    weights.add(g, `${at}.gated_layers.weight`, [B, (2 * I) / B, d / B]),
    g.ints(2 * B, I / B, d / B),
  ]);
  const wo = weights.add(g, `${at}.wo.weight`, [B, d / B, I / B]);
  const product = (x: Value, matrices: Value, i: number, out: number, input: number): Value => {
    const matrix = g.op('Slice', [matrices, g.ints(i), g.ints(i + 1), g.ints(0)]);
    return g.op('Gemm', [x, g.op('Reshape', [matrix, g.ints(out, input)])], { transB: 1 });
  };
  const blocks = g.ops('Split', [y], B, { axis: 1, num_outputs: B }); // [L, d/B] each
  const mixed = blocks.map((_, q) => {
    const from = Math.floor(q / 2);
    const gate = g.contrib('Gelu', [product(blocks[from]!, gated, q, I / B, d / B)]);
    const m = g.op('Mul', [gate, product(blocks[B / 2 + from]!, gated, B + q, I / B, d / B)]); // [L, I/B]
    return product(m, wo, q, d / B, I / B);
  });
  return g.op('Add', [g.op('Concat', mixed, { axis: 1 }), weights.add(g, `${at}.wo.bias`, [d])]);
}

/** The implicit filters of all layers. */
function readFilters(config: ConfigReader, weights: ModelWeights): HyenaFilters {
  return new HyenaFilters(weights, {
    channels: config.size('hidden_size'),
    positions: config.size('long_conv_l_max', config.size('max_position_embeddings')),
    embedding: config.size('hyena_emb_dim', 5),
    order: config.size('hyena_filter_order'),
    modulation: config.positive('hyena_w_mod', 1),
  });
}
