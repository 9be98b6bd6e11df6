import { BertGraph, bertPrefixes, readBertShape } from '../bert-graph.js';
import type { TextEncoderFamily } from '../text-encoder.js';

/**
 * BERT (arXiv 1810.04805) and every checkpoint of the same architecture (MiniLM, bge, e5, gte): learned positions,
 * attention over the whole text, feedForward(x) = LN(x + W_2 gelu(W_1 x + b_1) + b_2).
 */
export const bert: TextEncoderFamily = {
  name: 'bert',
  pooling: 'mean',
  batches: true,
  mark: '"model_type": "bert"',
  // M2-BERT's own code with its mixer switched off is no BERT of this kind either: its tensors are others.
  recognises: (config) =>
    config.raw('model_type') === 'bert' && config.raw('monarch_mixer_sequence_mixing') === undefined,
  weightPrefixes: bertPrefixes,
  readShape(config) {
    config.expect('position_embedding_type', ['absolute']);
    config.expect('hidden_act', ['gelu']);
    return readBertShape(config);
  },
  buildGraph(config, weights, output) {
    const { dimension: d } = readBertShape(config);
    const intermediate = config.size('intermediate_size');
    const heads = config.size('num_attention_heads');
    const graph = new BertGraph(config, weights);
    const { g } = graph;
    return {
      graph: graph.build(output, {
        positions: true,
        attend: ({ query, key, value }) => g.contrib('MultiHeadAttention', [query, key, value], { num_heads: heads }),
        feedForward(x, at) {
          const inner = g.contrib('Gelu', [graph.linear(x, `${at}.intermediate.dense`, intermediate, d)]);
          return graph.norm(`${at}.output.LayerNorm`, graph.linear(inner, `${at}.output.dense`, d, intermediate), x);
        },
      }),
    };
  },
};
