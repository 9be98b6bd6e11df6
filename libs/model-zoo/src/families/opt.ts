import type { Value } from '@a2sf/onnx-graph';
import type { ConfigReader } from '../config-reader.js';
import type { DecoderGraph } from '../decoder-graph.js';
import type { LanguageModelFamily, LanguageModelShape } from '../language-model.js';

/** OPT (arXiv 2205.01068), the sizes with LayerNorm before attention and MLP: learned positions, ReLU, biases everywhere. */
export const opt: LanguageModelFamily = {
  name: 'opt',
  architectures: ['OPTForCausalLM'],
  // Checkpoints saved from the base class lack the outer `model.`.
  weightPrefixes: ['model.', ''],
  readShape,
  layers,
};

/** Row of the position table that position 0 reads; the rows before it belong to padding. */
const positionOffset = 2;
const epsilon = 1e-5;

function readShape(config: ConfigReader): LanguageModelShape {
  config.expect('activation_function', ['relu']);
  config.expect('do_layer_norm_before', [true]);
  config.expect('enable_bias', [true]);
  config.expect('layer_norm_elementwise_affine', [true]);
  config.expect('_remove_final_layer_norm', [false]);
  const hidden = config.size('hidden_size');
  config.expect('word_embed_proj_dim', [hidden]);
  const heads = config.size('num_attention_heads');
  if (hidden % heads !== 0) throw config.error('hidden_size', `must be a multiple of num_attention_heads (${heads})`);
  return {
    layers: config.size('num_hidden_layers'),
    heads,
    kvHeads: heads,
    headDim: hidden / heads,
    vocab: config.size('vocab_size'),
    maxPositions: config.size('max_position_embeddings'),
  };
}

function layers(decoder: DecoderGraph, config: ConfigReader): Value {
  const { g, weights } = decoder;
  const shape = readShape(config);
  const hidden = config.size('hidden_size');
  const width = config.size('ffn_dim');
  const at = 'decoder';
  const norm = (x: Value, name: string): Value => {
    const affine = ['weight', 'bias'].map((part) => weights.add(g, `${name}.${part}`, [hidden]));
    return g.op('LayerNormalization', [x, ...affine], { axis: -1, epsilon: { float: epsilon } });
  };
  const linear = (x: Value, name: string, output = hidden, input = hidden): Value =>
    decoder.linear(x, name, output, input, true);

  const words = weights.add(g, `${at}.embed_tokens.weight`, [shape.vocab, hidden]);
  const places = weights.add(g, `${at}.embed_positions.weight`, [shape.maxPositions + positionOffset, hidden]);
  const place = g.op('Add', [decoder.flat(decoder.positions), g.ints(positionOffset)]);
  let x = g.op('Add', [g.op('Gather', [words, decoder.flat(decoder.ids)]), g.op('Gather', [places, place])]); // [N, hidden]
  for (let layer = 0; layer < shape.layers; layer++) {
    const block = `${at}.layers.${layer}`;
    const h = norm(x, `${block}.self_attn_layer_norm`);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => linear(h, `${block}.self_attn.${name}_proj`)) as [
      Value,
      Value,
      Value,
    ];
    let mixed = decoder.attend(layer, q, k, v);
    if (layer === shape.layers - 1) [x, mixed] = [decoder.wanted(x), decoder.wanted(mixed)];
    x = g.op('Add', [x, linear(mixed, `${block}.self_attn.out_proj`)]);
    const inner = g.op('Relu', [linear(norm(x, `${block}.final_layer_norm`), `${block}.fc1`, width, hidden)]);
    x = g.op('Add', [x, linear(inner, `${block}.fc2`, hidden, width)]);
  }
  const last = norm(x, `${at}.final_layer_norm`);
  const tied = config.flag('tie_word_embeddings', true) || !weights.has('lm_head.weight');
  return decoder.logits(last, tied ? `${at}.embed_tokens` : 'lm_head', hidden);
}
