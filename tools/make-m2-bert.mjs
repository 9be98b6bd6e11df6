// Writes a randomly initialised M2-BERT of the published 80M-8k shape: true key names, shapes and config.json, no trained
// number in it. For measuring and for trying the importer where the real weights cannot be had.
//
//   npm run build && node tools/make-m2-bert.mjs DIR [--positions 8192] [--layers 12] [--seed 1] [--tokenizer DIR]
//
// The tokenizer is copied from --tokenizer (default: the embedded encoder's; bert-base-uncased for a real vocabulary).
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { encodeSafetensors } from '@a2sf/tensor-files';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    positions: { type: 'string', default: '8192' },
    layers: { type: 'string', default: '12' },
    seed: { type: 'string', default: '1' },
    tokenizer: {
      type: 'string',
      default: fileURLToPath(new URL('../models/tiny-a2sf/encoder', import.meta.url)),
    },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('the folder to write is missing');
const count = (name) => {
  const value = Number(values[name]);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name}: must be a positive integer`);
  return value;
};
const [M, layers, seed] = [count('positions'), count('layers'), count('seed')];
const [d, intermediate, order, embedding, blocks, vocab] = [768, 3072, 128, 5, 4, 30522];

/** Numbers of one sequence (mulberry32), even in (-1, 1). */
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
}

const tensors = new Map();
const bytes = (data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
function add(name, shape, at) {
  const data = Float32Array.from({ length: shape.reduce((x, y) => x * y, 1) }, (_, i) => at(i));
  tensors.set(`bert.${name}`, { dtype: 'F32', shape, data: bytes(data) });
}
/** Even numbers of this standard deviation. */
const spread = (deviation) => () => random() * deviation * Math.sqrt(3);
/** torch's default of a linear layer with so many inputs. */
const linear = (inputs) => () => random() / Math.sqrt(inputs);
const norm = (at) => {
  add(`${at}.weight`, [d], () => 1 + 0.1 * random());
  add(`${at}.bias`, [d], () => 0.1 * random());
};

const positionIds = BigInt64Array.from({ length: M }, (_, i) => BigInt(i));
tensors.set('bert.embeddings.position_ids', { dtype: 'I64', shape: [1, M], data: bytes(positionIds) });
add('embeddings.word_embeddings.weight', [8 * Math.ceil(vocab / 8), d], spread(0.02));
add('embeddings.position_embeddings.weight', [M, d], spread(0.02));
add('embeddings.token_type_embeddings.weight', [2, d], spread(0.02));
norm('embeddings.LayerNorm');
for (let layer = 0; layer < layers; layer++) {
  const at = `encoder.layer.${layer}`;
  for (const which of ['filter_fn', 'filter_fn2']) {
    const filter = `${at}.attention.${which}`;
    add(`${filter}.bias`, [d], spread(1));
    add(`${filter}.pos_emb.z`, [1, M, embedding], (i) => {
      const [m, part] = [Math.floor(i / embedding), i % embedding];
      const angle = (2 * Math.PI * m) / M;
      const f = (part - 1) % 2 === 0 ? 1e-4 : 1;
      if (part === 0) return m / (M - 1);
      return part <= 2 ? Math.cos(f * angle) : -Math.sin(f * angle);
    });
    add(`${filter}.pos_emb.t`, [1, M, 1], (m) => m / (M - 1));
    const [slow, fast] = [Math.log(0.01) / 1.5, Math.log(0.01) / 0.3];
    add(`${filter}.modulation.deltas`, [1, 1, d], (c) => slow + ((fast - slow) * c) / (d - 1));
    for (const net of ['implicit_filter', 'implicit_filter_rev']) {
      for (const [i, inputs] of [embedding, order, order].entries()) {
        add(`${filter}.${net}.${2 * i}.weight`, [order, inputs], linear(inputs));
        add(`${filter}.${net}.${2 * i}.bias`, [order], linear(inputs));
        add(`${filter}.${net}.${2 * i + 1}.freq`, [1, order], () => 10);
      }
      // Small enough that the convolution of some thousand rows keeps its output near its input in size.
      add(`${filter}.${net}.6.weight`, [d, order], spread(0.1 / Math.sqrt(M)));
    }
  }
  add(`${at}.attention.in_linear.weight`, [3 * d, d], linear(d));
  add(`${at}.attention.in_linear.bias`, [3 * d], linear(d));
  add(`${at}.attention.out_linear.weight`, [d, d], linear(d));
  add(`${at}.attention.out_linear.bias`, [d], linear(d));
  add(`${at}.attention.short_filter.weight`, [3 * d, 1, 3], linear(3));
  add(`${at}.attention.short_filter.bias`, [3 * d], linear(3));
  add(`${at}.mlp.gated_layers.weight`, [blocks, (2 * intermediate) / blocks, d / blocks], linear(d / blocks));
  add(`${at}.mlp.wo.weight`, [blocks, d / blocks, intermediate / blocks], linear(intermediate / blocks));
  add(`${at}.mlp.wo.bias`, [d], linear(intermediate / blocks));
  norm(`${at}.mlp.layernorm`);
}
add('pooler.dense.weight', [d, d], spread(0.02));
add('pooler.dense.bias', [d], () => 0);

mkdirSync(folder, { recursive: true });
const config = {
  architectures: ['BertForMaskedLM'],
  model_type: 'bert',
  vocab_size: vocab,
  hidden_size: d,
  num_hidden_layers: layers,
  num_attention_heads: 12,
  intermediate_size: intermediate,
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0,
  max_position_embeddings: M,
  type_vocab_size: 2,
  initializer_range: 0.02,
  layer_norm_eps: 1e-12,
  pad_token_id: 0,
  monarch_mixer_sequence_mixing: true,
  long_conv_l_max: M,
  long_conv_kernel_learning_rate: 0.001,
  hyena_lr_pos_emb: 1e-5,
  hyena_w: 10,
  hyena_w_mod: 1,
  hyena_wd: 0.1,
  hyena_emb_dim: embedding,
  hyena_filter_dropout: 0.2,
  hyena_filter_order: order,
  hyena_training_additions: false,
  bidirectional: true,
  residual_long_conv: true,
  use_glu_mlp: true,
  use_monarch_mlp: true,
  monarch_mlp_nblocks: blocks,
  use_positional_encodings: true,
  use_flash_mm: false,
  use_flash_fft: true,
  pool_all: false,
  use_cls_token: false,
  sequence_token_planting: false,
  attention_pooling: false,
};
writeFileSync(join(folder, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
for (const name of ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'vocab.txt']) {
  const from = join(values.tokenizer, name);
  if (existsSync(from)) copyFileSync(from, join(folder, name));
}
writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(tensors));
const parameters = [...tensors.values()].reduce((sum, { shape }) => sum + shape.reduce((x, y) => x * y, 1), 0);
console.log(`${folder}: ${tensors.size} tensors, ${(parameters / 1e6).toFixed(1)} million numbers`);
