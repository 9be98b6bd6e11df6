import type { Value } from '@a2sf/onnx-graph';
import type { ConfigReader } from '../config-reader.js';
import type { DecoderGraph } from '../decoder-graph.js';
import type { LanguageModelFamily, LanguageModelShape } from '../language-model.js';
import { inverseFrequencies, readRopeScaling, rotaryTables } from '../rope.js';

/**
 * Llama 1, 2 and 3 and every checkpoint of the same architecture (SmolLM2, TinyLlama, Mistral without sliding window):
 * RMSNorm, rotary embedding, SwiGLU, grouped KV heads.
 */
export const llama: LanguageModelFamily = {
  name: 'llama',
  architectures: ['LlamaForCausalLM', 'MistralForCausalLM'],
  weightPrefixes: [''],
  readShape(config) {
    config.expect('attention_bias', [false]);
    config.expect('mlp_bias', [false]);
    config.expect('sliding_window', []); // only absent or null: attention over everything
    return readLlamaShape(config);
  },
  layers: (decoder, config, positions) => llamaLayers(decoder, config, positions, { qkvBias: false }),
};

/** The sizes of a model with Llama's config.json fields. */
export function readLlamaShape(config: ConfigReader): LanguageModelShape {
  config.expect('hidden_act', ['silu']);
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

/** Llama's layers, and those of its close relatives: `qkvBias` adds biases to the three projections of the attention. */
export function llamaLayers(
  decoder: DecoderGraph,
  config: ConfigReader,
  positions: number,
  { qkvBias }: { readonly qkvBias: boolean },
): Value {
  const { g, weights } = decoder;
  const shape = readLlamaShape(config);
  const { heads: H, kvHeads: G, headDim: D, vocab: V } = shape;
  const hidden = config.size('hidden_size');
  const intermediate = config.size('intermediate_size');
  const epsilon = config.positive('rms_norm_eps', 1e-6);
  const scaling = readRopeScaling(config.raw('rope_scaling') ?? config.raw('rope_parameters'));
  const tables = rotaryTables(
    inverseFrequencies(D, config.positive('rope_theta', ropeTheta(config)), scaling),
    positions,
  );

  const cos = g.floats(tables.cos, [positions, D / 2]);
  const sin = g.floats(tables.sin, [positions, D / 2]);
  const norm = (x: Value, name: string): Value => {
    const attributes = { axis: -1, epsilon: { float: epsilon }, stash_type: 1 };
    return g.op('SimplifiedLayerNormalization', [x, weights.add(g, name, [hidden])], attributes);
  };
  const rotate = (x: Value, heads: number): Value => {
    const inputs = [decoder.unflat(x), decoder.positions, cos, sin];
    return g.contrib('RotaryEmbedding', inputs, { num_heads: heads });
  };

  const embedding = weights.add(g, 'model.embed_tokens.weight', [V, hidden]);
  let x = g.op('Gather', [embedding, decoder.flat(decoder.ids)]); // [N, hidden]
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `model.layers.${layer}`;
    const h = norm(x, `${at}.input_layernorm.weight`);
    const project = (name: string, heads: number): Value =>
      decoder.linear(h, `${at}.self_attn.${name}_proj`, heads * D, hidden, qkvBias);
    let mixed = decoder.attend(layer, rotate(project('q', H), H), rotate(project('k', G), G), project('v', G));
    if (layer === shape.layers - 1) [x, mixed] = [decoder.wanted(x), decoder.wanted(mixed)];
    x = g.op('Add', [x, decoder.linear(mixed, `${at}.self_attn.o_proj`, hidden, H * D)]);
    const h2 = norm(x, `${at}.post_attention_layernorm.weight`);
    const gate = decoder.linear(h2, `${at}.mlp.gate_proj`, intermediate, hidden);
    const up = decoder.linear(h2, `${at}.mlp.up_proj`, intermediate, hidden);
    const gated = g.op('Mul', [g.op('Mul', [gate, g.op('Sigmoid', [gate])]), up]); // silu(gate) * up
    x = g.op('Add', [x, decoder.linear(gated, `${at}.mlp.down_proj`, hidden, intermediate)]);
  }
  const last = norm(x, 'model.norm.weight');
  const tied = config.flag('tie_word_embeddings', false) || !weights.has('lm_head.weight');
  return decoder.logits(last, tied ? 'model.embed_tokens' : 'lm_head', hidden);
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
