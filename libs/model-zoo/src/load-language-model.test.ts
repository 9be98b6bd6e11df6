import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadLanguageModel } from './load-language-model.js';

const fixture = fileURLToPath(new URL('../../../test/fixtures/lm-llama3', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'a2sf-model-'));
after(() => rmSync(scratch, { recursive: true }));

/** A copy of the fixture whose config.json is changed. */
function changed(name: string, change: Record<string, unknown>): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  for (const file of ['config.json', 'model.safetensors']) cpSync(join(fixture, file), join(folder, file));
  const config = JSON.parse(readFileSync(join(fixture, 'config.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...change }));
  return folder;
}

test('a model folder becomes a small graph that copies no weight', () => {
  const { graph, shape, endTokens, positions } = loadLanguageModel(fixture);
  assert.deepEqual(shape, { layers: 3, heads: 8, kvHeads: 2, headDim: 8, vocab: 320, maxPositions: 2048 });
  assert.deepEqual([...endTokens], [2]);
  assert.equal(positions, 2048);
  assert.ok(graph.length < 200_000);
});

test('a snapshot of links, as hub caches have it, resolves to the folder of the files', () => {
  const blobs = join(scratch, 'blobs');
  const snapshot = join(scratch, 'snapshot');
  mkdirSync(blobs);
  mkdirSync(snapshot);
  cpSync(join(fixture, 'model.safetensors'), join(blobs, 'sha'));
  symlinkSync(join(blobs, 'sha'), join(snapshot, 'model.safetensors'));
  cpSync(join(fixture, 'config.json'), join(snapshot, 'config.json'));
  assert.equal(loadLanguageModel(snapshot).weights.folder, blobs);
});

test('an unsupported architecture is refused with the known ones', () => {
  const folder = changed('architecture', { architectures: ['GPT2LMHeadModel'] });
  assert.throws(
    () => loadLanguageModel(folder),
    /architectures: "GPT2LMHeadModel" is not supported \(known: .*LlamaForCausalLM/,
  );
});

test('a tensor of another shape than the config asks for is named', () => {
  const folder = changed('shape', { intermediate_size: 100 });
  assert.throws(
    () => loadLanguageModel(folder),
    /tensor model\.layers\.0\.mlp\.gate_proj\.weight has shape \[96, 64\]/,
  );
});

test('a missing tensor is named', () => {
  const folder = changed('layers', { num_hidden_layers: 4 });
  assert.throws(() => loadLanguageModel(folder), /tensor model\.layers\.3\.input_layernorm\.weight is missing/);
});

test('a cut weight file is refused', () => {
  const folder = changed('cut', {});
  truncateSync(join(folder, 'model.safetensors'), 5000);
  assert.throws(() => loadLanguageModel(folder), { code: 'DATA_LOSS' });
});

test('values that the family does not compute are refused, never ignored', () => {
  assert.throws(() => loadLanguageModel(changed('act', { hidden_act: 'gelu' })), /hidden_act: "gelu" is not supported/);
  assert.throws(
    () => loadLanguageModel(changed('bias', { attention_bias: true })),
    /attention_bias: true is not supported/,
  );
  assert.throws(() => loadLanguageModel(changed('kv', { num_key_value_heads: 3 })), /num_key_value_heads: must divide/);
  assert.throws(
    () => loadLanguageModel(changed('eos', { eos_token_id: 320 })),
    /eos_token_id: must be token ids below/,
  );
});

test('a Mistral without sliding window is a Llama, one with it is refused', () => {
  const mistral = { architectures: ['MistralForCausalLM'], sliding_window: null };
  assert.equal(loadLanguageModel(changed('mistral', mistral)).family.name, 'llama');
  const sliding = changed('sliding', { ...mistral, sliding_window: 4096 });
  assert.throws(() => loadLanguageModel(sliding), /sliding_window: 4096 is not supported/);
});

test('a context beyond the model is refused', () => {
  assert.throws(() => loadLanguageModel(fixture, 4096), /context_tokens: the model was made for 2048 positions/);
});
