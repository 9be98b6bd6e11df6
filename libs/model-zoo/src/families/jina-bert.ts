import type { GraphBuilder, Value } from '@a2sf/onnx-graph';
import { BertGraph, bertPrefixes, readBertShape, type AttentionInputs } from '../bert-graph.js';
import type { TextEncoderFamily } from '../text-encoder.js';

/**
 * JinaBERT (arXiv 2310.19923; jina-embeddings-v2): BERT without learned positions. Head h adds the symmetric ALiBi term
 * -m_h |i - j| to its scores, and feedForward(x) = LN(x + W_o (gelu(G_1 x) * G_2 x) + b_o).
 */
export const jinaBert: TextEncoderFamily = {
  name: 'jina-bert',
  pooling: 'mean',
  batches: true,
  mark: '"position_embedding_type": "alibi"',
  recognises: (config) => config.raw('position_embedding_type') === 'alibi',
  weightPrefixes: bertPrefixes,
  readShape(config) {
    config.expect('hidden_act', ['gelu']);
    config.expect('feed_forward_type', ['geglu']);
    return readBertShape(config);
  },
  buildGraph(config, weights, output) {
    if (weights.has('encoder.layer.0.attention.self.layer_norm_q.weight')) {
      throw config.error('architectures', 'JinaBERT with normalised queries and keys is not supported');
    }
    const { dimension: d } = readBertShape(config);
    const intermediate = config.size('intermediate_size');
    const heads = config.size('num_attention_heads');
    const graph = new BertGraph(config, weights);
    const { g } = graph;
    const distance = distances(g, graph.ids, output === 'cls');
    let layer = 0;
    const layers = config.size('num_hidden_layers');
    return {
      graph: graph.build(output, {
        positions: false,
        attend(inputs) {
          layer++;
          const firstOnly = output === 'cls' && layer === layers;
          return attendWithAlibi(g, inputs, firstOnly ? distance.first : distance.all, heads, d / heads);
        },
        feedForward(x, at) {
          const both = graph.product(x, `${at}.mlp.gated_layers`, 2 * intermediate, d);
          const [gate, rest] = g.ops('Split', [both], 2, { axis: 1, num_outputs: 2 }) as [Value, Value];
          const inner = g.op('Mul', [g.contrib('Gelu', [gate]), rest]);
          return graph.norm(`${at}.mlp.layernorm`, graph.linear(inner, `${at}.mlp.wo`, d, intermediate), x);
        },
      }),
    };
  },
};

/**
 * m_h for H heads: the powers r, r^2, .. r^H with r = 2^(-8 / H) where H is a power of two; otherwise those of the power of
 * two below, then every second one of the power of two above (arXiv 2108.12409).
 */
export function alibiSlopes(heads: number): number[] {
  const below = 2 ** Math.floor(Math.log2(heads));
  const slopes = Array.from({ length: below }, (_, h) => 2 ** ((-8 * (h + 1)) / below));
  if (below === heads) return slopes;
  const between = alibiSlopes(2 * below).filter((_, h) => h % 2 === 0);
  return [...slopes, ...between.slice(0, heads - below)];
}

/** |i - j| as numbers: of all pairs of tokens [L, L], and from the first one alone [1, L]. */
function distances(g: GraphBuilder, ids: Value, first: boolean): { readonly all: Value; readonly first: Value } {
  const length = g.op('Squeeze', [g.op('Shape', [ids], { start: 1, end: 2 })]);
  const position = g.cast(g.op('Range', [g.int(0), length, g.int(1)]), 'float32');
  const row = g.op('Unsqueeze', [position, g.ints(0)]);
  const column = g.op('Unsqueeze', [position, g.ints(1)]);
  const all = g.op('Abs', [g.op('Sub', [column, row])]);
  return { all, first: first ? row : all };
}

/**
 * softmax(Q_h K_h' / sqrt(D) - m_h |i - j|) V_h, head by head: at 8192 tokens the scores of one head take 256 MiB.
 * [B, rows, H D] -> [B, rows, H D].
 */
function attendWithAlibi(
  g: GraphBuilder,
  { query, key, value }: AttentionInputs,
  distance: Value,
  heads: number,
  headDim: number,
): Value {
  const perHead = (x: Value): Value[] => g.ops('Split', [x], heads, { axis: 2, num_outputs: heads }); // each [B, rows, D]
  const [queries, keys, values] = [perHead(query), perHead(key), perHead(value)];
  const mixed = alibiSlopes(heads).map((slope, h) => {
    const alpha = { float: 1 / Math.sqrt(headDim) };
    const scores = g.contrib('FusedMatMul', [queries[h]!, keys[h]!], { transB: 1, alpha }); // [B, rows, L]
    const biased = g.op('Add', [scores, g.op('Mul', [distance, g.scalar(-slope)])]);
    return g.op('MatMul', [g.op('Softmax', [biased], { axis: -1 }), values[h]!]);
  });
  return heads === 1 ? mixed[0]! : g.op('Concat', mixed, { axis: 2 });
}
