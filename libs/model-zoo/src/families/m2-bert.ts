import { GraphBuilder, type Sliced, type Value } from '@a2sf/onnx-graph';
import type { ConfigReader } from '../config-reader.js';
import { BlockFourier } from '../fourier-graph.js';
import type { GatedProjection } from '../gated-projection.js';
import { HyenaFilters, type HyenaFilter } from '../hyena-filters.js';
import { hyenaTables } from '../hyena-tables.js';
import { LongConvolutions } from '../long-convolution.js';
import { M2BertRows, type M2BertRowShape, type RowFunction } from '../m2-bert-rows.js';
import type { ModelWeights } from '../model-weights.js';
import { RowBlocks } from '../row-blocks.js';
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
function filtersOf(layer: number): [HyenaFilter, HyenaFilter] {
  const filter = (which: string): HyenaFilter => ({
    name: `${layer}.${which}`,
    at: `encoder.layer.${layer}.attention.${which}`,
  });
  return [filter('filter_fn'), filter('filter_fn2')];
}

/**
 * Everything of a row but its long convolutions goes block by block (see RowBlocks): a layer's blocks end with the projection
 * of the next layer, so that between the convolutions of two layers there is one pass over the rows.
 */
function buildGraph(config: ConfigReader, weights: ModelWeights, output: TextEncoderOutput): TextEncoderGraph {
  const d = readShape(config).dimension;
  const layers = config.size('num_hidden_layers');
  const g = new GraphBuilder();
  const ids = g.input('ids', 'int64', ['L']);
  const length = g.op('Shape', [ids]);
  const filters = readFilters(config, weights);
  const long = new LongConvolutions(g, new BlockFourier(g, d), filters, length);
  const blocks = new RowBlocks(g, length);
  const parts = new M2BertRows(g, weights, readRowShape(config));
  /** Of the last layer only row 0 is wanted: its convolutions are one sum over the rows, and the rest runs on one row. */
  const firstOnly = (layer: number): boolean => output === 'cls' && layer === layers - 1;
  /** Rows made of what is given, block by block, then projected. */
  const project = (projection: GatedProjection, given: readonly Sliced[], rows: RowFunction): Value[] =>
    blocks.run(projection.carried, [blocks.ownRows, ...given], projection.channels, (s, before, [own, ...block]) =>
      projection.block(s, rows(s, block), own!, before),
    );

  let projection = parts.projection(0, firstOnly(0));
  let [x, gated, x2] = project(projection, [blocks.ofInts(ids), blocks.of(parts.places, d)], parts.embedding());
  for (let layer = 0; layer < layers; layer++) {
    const [one, two] = filtersOf(layer);
    const mix = parts.mixer(layer);
    if (firstOnly(layer)) {
      const row = [long.first(blocks.own(gated!), one), long.first(blocks.own(x!), two), projection.first(x!)];
      g.output('cls', g.op('Reshape', [mix(g, row), g.ints(d)]), 'float32', [d]);
      break;
    }
    const given = [blocks.of(long.all(gated!, one), d), blocks.of(long.all(x!, two), d), blocks.again(x2!, d)];
    if (layer === layers - 1) {
      const [states] = blocks.run([], given, [d], (s, _, block) => ({ carried: [], rows: [mix(s, block)] }));
      g.output('hidden_states', blocks.own(states!), 'float32', ['L', d]);
      break;
    }
    projection = parts.projection(layer + 1, firstOnly(layer + 1));
    [x, gated, x2] = project(projection, given, mix);
  }
  const all = Array.from({ length: layers }, (_, layer) => filtersOf(layer));
  const rowZero = output === 'cls' ? all.splice(-1) : [];
  return { graph: g.serialize(), tables: hyenaTables(filters, all.flat(), rowZero.flat()) };
}

function readRowShape(config: ConfigReader): M2BertRowShape {
  const { dimension, maxTokens, vocab } = readShape(config);
  return {
    hidden: dimension,
    intermediate: config.size('intermediate_size'),
    blocks: config.size('monarch_mlp_nblocks', 4),
    vocab,
    positions: maxTokens,
    types: config.size('type_vocab_size', 2),
    epsilon: config.positive('layer_norm_eps', 1e-12),
  };
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
