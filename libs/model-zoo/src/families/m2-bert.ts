import { GraphBuilder, type Value } from '@a2sf/onnx-graph';
import { BlockFourier, blockFourierCapacity, blockFourierInputs, blockFourierSize } from '../block-fourier.js';
import type { ConfigReader } from '../config-reader.js';
import { buildFilterGraph, type HyenaFilter } from '../hyena-filters.js';
import { firstRowTapsName, LongConvolutions, spectrumNames } from '../long-convolution.js';
import type { ModelWeights } from '../model-weights.js';
import type {
  LengthTables,
  TextEncoderFamily,
  TextEncoderGraph,
  TextEncoderOutput,
  TextEncoderShape,
} from '../text-encoder.js';

/** M2-BERT, the Monarch Mixer encoder (arXiv 2310.12109): long convolutions instead of attention, a block-diagonal MLP. */
export const m2Bert: TextEncoderFamily = {
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
const convolutionName = (layer: number, which: (typeof convolutions)[number]): string => `${layer}.${which}`;

function buildGraph(config: ConfigReader, weights: ModelWeights, output: TextEncoderOutput): TextEncoderGraph {
  const { dimension: d, maxTokens, vocab } = readShape(config);
  const layers = config.size('num_hidden_layers');
  const g = new GraphBuilder();
  const ids = g.input('ids', 'int64', ['L']);
  const length = g.op('Shape', [ids]);
  const long = new LongConvolutions(g, new BlockFourier(g), length, d);
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
    const projected = g.ops('Split', [linear(x, `${at}.attention.in_linear`, 3 * d, d)], 3, {
      axis: 1,
      num_outputs: 3,
    });
    const short = shortConvolution(g, weights, `${at}.attention.short_filter`, d);
    const x1 = short(projected[0]!, 0);
    const x2 = short(firstOnly ? firstRow(projected[1]!) : projected[1]!, 1);
    const v = short(projected[2]!, 2);
    const gated = convolve(g.op('Mul', [v, x1]), convolutionName(layer, 'filter_fn'));
    const residual = convolve(x, convolutionName(layer, 'filter_fn2'));
    const mixed = g.op('Add', [g.op('Mul', [gated, x2]), residual]);
    const y = linear(mixed, `${at}.attention.out_linear`, d, d); // [L or 1, d]
    x = norm(g.op('Add', [y, gatedMlp(g, weights, config, y, `${at}.mlp`)]), `${at}.mlp.layernorm`);
  }
  if (output === 'cls') g.output('cls', g.op('Reshape', [x, g.ints(d)]), 'float32', [d]);
  else g.output('hidden_states', x, 'float32', ['L', d]);
  return { graph: g.serialize(), tables: filterTables(config, weights, output) };
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
 * [out/B, in/B]. With an even number B of blocks the gates are the first B/2 blocks of h. [L, d] -> [L, d].
 */
function gatedMlp(g: GraphBuilder, weights: ModelWeights, config: ConfigReader, y: Value, at: string): Value {
  const d = config.size('hidden_size');
  const I = config.size('intermediate_size');
  const B = config.size('monarch_mlp_nblocks', 4);
  const blockDiagonal = (x: Value, name: string, out: number, input: number): Value =>
    g.contrib('FusedMatMul', [x, weights.add(g, `${at}.${name}.weight`, [B, out / B, input / B])], { transB: 1 });
  const reshape = (x: Value, ...shape: number[]): Value => g.op('Reshape', [x, g.ints(...shape)]);
  const transpose = (x: Value, ...perm: number[]): Value => g.op('Transpose', [x], { perm });

  const h = blockDiagonal(transpose(reshape(y, -1, B, d / B), 1, 0, 2), 'gated_layers', 2 * I, d); // [B, L, 2I/B]
  const [gate, value] = g.ops('Split', [h], 2, { axis: 0, num_outputs: 2 }) as [Value, Value]; // [B/2, L, 2I/B]
  const m = g.op('Mul', [g.contrib('Gelu', [gate]), value]);
  const halves = transpose(reshape(m, B / 2, -1, 2, I / B), 0, 2, 1, 3); // [B/2, 2, L, I/B]
  const rows = g.op('Concat', [g.ints(B), g.op('Shape', [y], { start: 0, end: 1 }), g.ints(I / B)], { axis: 0 });
  const mixed = blockDiagonal(g.op('Reshape', [halves, rows]), 'wo', d, I); // [B, L, d/B]
  return g.op('Add', [reshape(transpose(mixed, 1, 0, 2), -1, d), weights.add(g, `${at}.wo.bias`, [d])]);
}

/** The filters as tables: spectra, and the taps of row 0 where the last layer computes nothing else. */
function filterTables(config: ConfigReader, weights: ModelWeights, output: TextEncoderOutput): LengthTables {
  const layers = config.size('num_hidden_layers');
  const positions = config.size('long_conv_l_max', config.size('max_position_embeddings'));
  const filters = Array.from({ length: layers }, (_, layer) =>
    convolutions.map((which): HyenaFilter => {
      const firstOnly = output === 'cls' && layer === layers - 1;
      return {
        name: convolutionName(layer, which),
        at: `encoder.layer.${layer}.attention.${which}`,
        result: firstOnly ? 'first-row-taps' : 'spectrum',
      };
    }),
  ).flat();
  const shape = {
    channels: config.size('hidden_size'),
    positions,
    embedding: config.size('hyena_emb_dim', 5),
    order: config.size('hyena_filter_order'),
    modulation: config.positive('hyena_w_mod', 1),
  };
  return {
    sizeOf: blockFourierSize,
    inputs: (size) => {
      const { signal, filter } = blockFourierInputs(size);
      const capacity = blockFourierCapacity(size);
      const rows = Math.min(capacity, positions);
      return {
        direct: signal,
        derivation: {
          ...filter,
          filter_rows: { type: 'int64', data: [rows], shape: [1] },
          filter_padding: { type: 'int64', data: [0, 0, capacity - rows, 0], shape: [4] },
        },
      };
    },
    graph: buildFilterGraph(weights, shape, filters),
    outputs: filters.flatMap(({ name, result }) =>
      result === 'spectrum' ? spectrumNames(name) : [firstRowTapsName(name)],
    ),
  };
}
