import { GraphBuilder, type Subgraph, type Value } from '@a2sf/onnx-graph';
import type { ConfigReader } from '../config-reader.js';
import type { LanguageModelFamily, LanguageModelShape } from '../language-model.js';
import type { ModelWeights } from '../model-weights.js';
import { inverseFrequencies, readRopeScaling, rotaryTables } from '../rope.js';

/** Llama 1, 2 and 3 and every checkpoint of the same architecture: RMSNorm, rotary embedding, SwiGLU, grouped KV heads. */
export const llama: LanguageModelFamily = {
  name: 'llama',
  architectures: ['LlamaForCausalLM'],
  readShape,
  buildGraph,
};

function readShape(config: ConfigReader): LanguageModelShape {
  config.expect('hidden_act', ['silu']);
  config.expect('attention_bias', [false]);
  config.expect('mlp_bias', [false]);
  const heads = config.size('num_attention_heads');
  const kvHeads = config.size('num_key_value_heads', heads);
  if (heads % kvHeads !== 0) throw config.error('num_key_value_heads', `must divide num_attention_heads (${heads})`);
  const hidden = config.size('hidden_size');
  if (config.raw('head_dim') == null && hidden % heads !== 0) {
    throw config.error('hidden_size', `must be a multiple of num_attention_heads (${heads})`);
  }
  const headDim = config.size('head_dim', hidden / heads);
  if (headDim % 2 !== 0) throw config.error('head_dim', 'must be even');
  return {
    layers: config.size('num_hidden_layers'),
    heads,
    kvHeads,
    headDim,
    vocab: config.size('vocab_size'),
    maxPositions: config.size('max_position_embeddings'),
  };
}

function buildGraph(config: ConfigReader, weights: ModelWeights, positions: number): Uint8Array {
  const { layers, heads: H, kvHeads: G, headDim: D, vocab: V } = readShape(config);
  const R = H / G; // query heads of a KV head
  const hidden = config.size('hidden_size');
  const intermediate = config.size('intermediate_size');
  const epsilon = config.positive('rms_norm_eps', 1e-6);
  const scaling = config.raw('rope_scaling') ?? config.raw('rope_parameters');
  const theta = config.positive('rope_theta', ropeTheta(config));
  const tables = rotaryTables(inverseFrequencies(D, theta, readRopeScaling(scaling)), positions);

  const g = new GraphBuilder();
  const ids = g.input('ids', 'int64', ['B', 'S']);
  const positionIds = g.input('positions', 'int64', ['B', 'S']);
  const decode = g.input('decode', 'bool', []);
  const pastLength = g.input('past_length', 'int64', [1]);
  const mask = g.input('mask', 'float32', ['M', 'K']);
  const windows = g.input('windows', 'float32', ['A', 'W']);
  const logitRows = g.input('logit_rows', 'int64', ['R']);
  const cos = g.floats(tables.cos, [positions, D / 2]);
  const sin = g.floats(tables.sin, [positions, D / 2]);
  const scale = g.scalar(1 / Math.sqrt(D));
  const batchAndLength = g.op('Shape', [ids]); // [B, S]
  const tokensShape = g.op('Concat', [batchAndLength, g.ints(-1)], { axis: 0 }); // [B, S, -1]

  const norm = (x: Value, name: string): Value =>
    g.op('SimplifiedLayerNormalization', [x, weights.add(g, name, [hidden])], {
      axis: -1,
      epsilon: { float: epsilon },
      stash_type: 1,
    });
  // x [N, in] W' -> [N, out]; Gemm reads the stored [out, in] weight transposed, so no transposed copy is made.
  const linear = (x: Value, name: string, output: number, input: number): Value =>
    g.op('Gemm', [x, weights.add(g, name, [output, input])], { transB: 1 });
  const toHeads = (x: Value, heads: number): Value =>
    g.op('Transpose', [g.op('Reshape', [x, g.op('Concat', [batchAndLength, g.ints(heads, D)], { axis: 0 })])], {
      perm: [0, 2, 1, 3],
    });
  const rotate = (x: Value, heads: number): Value =>
    g.contrib('RotaryEmbedding', [g.op('Reshape', [x, tokensShape]), positionIds, cos, sin], { num_heads: heads });

  const embedding = weights.add(g, 'model.embed_tokens.weight', [V, hidden]);
  let x = g.op('Gather', [embedding, g.op('Reshape', [ids, g.ints(-1)])]); // [N, hidden], N = B * S
  for (let layer = 0; layer < layers; layer++) {
    const at = `model.layers.${layer}`;
    const pastKey = g.input(`past_key.${layer}`, 'float32', ['B', G, 'P', D]);
    const pastValue = g.input(`past_value.${layer}`, 'float32', ['B', G, 'P', D]);
    const h = norm(x, `${at}.input_layernorm.weight`);
    const q = toHeads(rotate(linear(h, `${at}.self_attn.q_proj.weight`, H * D, hidden), H), H); // [B, H, S, D]
    const key = toHeads(rotate(linear(h, `${at}.self_attn.k_proj.weight`, G * D, hidden), G), G); // [B, G, S, D]
    const value = toHeads(linear(h, `${at}.self_attn.v_proj.weight`, G * D, hidden), G);
    const query = g.op('Mul', [g.op('Reshape', [q, g.ints(0, G, -1, D)]), scale]); // [B, G, R * S, D]
    const attention = { query, key, value, pastKey, pastValue, mask };
    const [mixed, scores] = g.branch(
      decode,
      2,
      (branch) => decodeAttention(branch, attention, G),
      (branch) => prefillAttention(branch, { ...attention, pastLength, windows }, { G, R, D }),
    ) as [Value, Value];
    const joined = g.op('Reshape', [
      g.op(
        'Transpose',
        [
          g.op('Reshape', [
            mixed,
            g.op(
              'Concat',
              [
                g.op('Shape', [ids], { start: 0, end: 1 }),
                g.ints(H),
                g.op('Shape', [ids], { start: 1, end: 2 }),
                g.ints(D),
              ],
              { axis: 0 },
            ),
          ]),
        ],
        { perm: [0, 2, 1, 3] },
      ),
      g.ints(-1, H * D),
    ]); // [N, H * D]
    x = g.op('Add', [x, linear(joined, `${at}.self_attn.o_proj.weight`, hidden, H * D)]);
    const h2 = norm(x, `${at}.post_attention_layernorm.weight`);
    const gate = linear(h2, `${at}.mlp.gate_proj.weight`, intermediate, hidden);
    const up = linear(h2, `${at}.mlp.up_proj.weight`, intermediate, hidden);
    const gated = g.op('Mul', [g.op('Mul', [gate, g.op('Sigmoid', [gate])]), up]);
    x = g.op('Add', [x, linear(gated, `${at}.mlp.down_proj.weight`, hidden, intermediate)]);
    g.output(`key.${layer}`, key, 'float32', ['B', G, 'S', D]);
    g.output(`value.${layer}`, value, 'float32', ['B', G, 'S', D]);
    g.output(`scores.${layer}`, scores, 'float32', [G, 'A', 'T']);
  }
  const last = norm(g.op('Gather', [x, logitRows]), 'model.norm.weight'); // [R, hidden]
  const tied = config.flag('tie_word_embeddings', false) || !weights.has('lm_head.weight');
  const logits = linear(last, tied ? 'model.embed_tokens.weight' : 'lm_head.weight', V, hidden);
  g.output('logits', logits, 'float32', ['R', V]);
  g.output('next', g.op('ArgMax', [logits], { axis: -1, keepdims: 0 }), 'int64', ['R']);
  return g.serialize();
}

/** Newer configs keep theta inside `rope_parameters`. */
function ropeTheta(config: ConfigReader): number {
  const parameters = config.raw('rope_parameters');
  const theta =
    typeof parameters === 'object' && parameters !== null
      ? (parameters as Record<string, unknown>)['rope_theta']
      : undefined;
  return typeof theta === 'number' ? theta : 10000;
}

interface AttentionValues {
  readonly query: Value; // [B, G, R * S, D], scaled
  readonly key: Value; // [B, G, S, D]
  readonly value: Value; // [B, G, S, D]
  readonly pastKey: Value; // [B, G, P, D]
  readonly pastValue: Value; // [B, G, P, D]
  readonly mask: Value;
}

/**
 * One token a row over (past, itself): softmax([q K' + mask, q k]) [V; v]. The past is read in place: nothing of it is
 * copied or put out.
 */
function decodeAttention(
  g: Subgraph,
  { query, key, value, pastKey, pastValue, mask }: AttentionValues,
  G: number,
): void {
  const past = g.contrib('FusedMatMul', [query, pastKey], { transB: 1 }); // [B, G, R, P]
  const rowMask = g.op('Unsqueeze', [mask, g.ints(1, 2)]); // [B, 1, 1, P]
  const own = g.op('ReduceSum', [g.op('Mul', [query, key]), g.ints(-1)], { keepdims: 1 }); // [B, G, R, 1]
  const p = g.op('Softmax', [g.op('Concat', [g.op('Add', [past, rowMask]), own], { axis: -1 })], { axis: -1 });
  const pastP = g.op('Slice', [p, g.ints(0), g.ints(-1), g.ints(-1)]);
  const ownP = g.op('Slice', [p, g.ints(-1), g.ints(2 ** 31 - 1), g.ints(-1)]);
  const mixed = g.op('Add', [g.op('MatMul', [pastP, pastValue]), g.op('Mul', [ownP, value])]); // [B, G, R, D]
  g.result(mixed, 'float32', ['B', G, 'RS', 'D']);
  g.result(g.floats(new Float32Array(0), [G, 0, 0]), 'float32', [G, 'A', 'T']);
}

/**
 * A chunk of S queries over the T keys so far, causal by the mask, with the chunk's share of the windowed scores:
 * scores[g, a, k] = sum_q w_a(q) sum_{h in g} P[h, q, k]. The heads of a group are summed before the window product.
 */
function prefillAttention(
  g: Subgraph,
  {
    query,
    key,
    value,
    pastKey,
    pastValue,
    mask,
    pastLength,
    windows,
  }: AttentionValues & { pastLength: Value; windows: Value },
  { G, R, D }: { G: number; R: number; D: number },
): void {
  const upTo = (past: Value, fresh: Value): Value =>
    g.op('Concat', [g.op('Slice', [past, g.ints(0), pastLength, g.ints(2)]), fresh], { axis: 2 });
  const keys = upTo(pastKey, key); // [1, G, T, D]
  const values = upTo(pastValue, value);
  const logits = g.contrib('FusedMatMul', [query, keys], { transB: 1 }); // [1, G, R * S, T]
  const maskShape = g.op('Shape', [mask]); // [S, T]
  const perHead = g.op('Reshape', [logits, g.op('Concat', [g.ints(G, R), maskShape], { axis: 0 })]); // [G, R, S, T]
  const p = g.op('Softmax', [g.op('Add', [perHead, mask])], { axis: -1 });
  const flat = g.op('Reshape', [
    p,
    g.op('Concat', [g.ints(1, G, -1), g.op('Shape', [mask], { start: 1, end: 2 })], { axis: 0 }),
  ]);
  g.result(g.op('MatMul', [flat, values]), 'float32', ['B', G, 'RS', D]);
  const grouped = R === 1 ? g.op('Squeeze', [p, g.ints(1)]) : g.op('ReduceSum', [p, g.ints(1)], { keepdims: 0 }); // [G, S, T]
  g.result(g.op('MatMul', [windows, grouped]), 'float32', [G, 'A', 'T']);
}
