import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neededFiles } from './hub-files.js';

test('safetensors are loaded before PyTorch files, one file before its parts', () => {
  const config = 'config.json';
  assert.deepEqual(neededFiles([config, 'pytorch_model.bin', 'model.safetensors', 'model-1.safetensors']), [
    'model.safetensors',
    config,
  ]);
  assert.deepEqual(neededFiles([config, 'pytorch_model.bin', 'optimizer.bin']), ['pytorch_model.bin', config]);
});

test('the parts of split weights come with their index, a second copy does not', () => {
  const parts = [
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
    'model.safetensors.index.json',
  ];
  assert.deepEqual(neededFiles(['config.json', 'consolidated.safetensors', ...parts]), [...parts, 'config.json']);
  const bins = ['pytorch_model-00001-of-00001.bin', 'pytorch_model.bin.index.json'];
  assert.deepEqual(neededFiles([...bins, 'config.json', 'training_args.bin']), [...bins, 'config.json']);
});

test('a repository without config or weights has nothing to load, and no name may lead out of the folder', () => {
  assert.equal(neededFiles(['model.safetensors']), undefined);
  assert.equal(neededFiles(['config.json', 'adapter_model.safetensors']), undefined);
  const hostile = ['../x.safetensors', 'a/b.safetensors', '/x.model', 'x\n.model', 'x.py'];
  assert.deepEqual(neededFiles(['config.json', 'model.safetensors.index.json', ...hostile]), [
    'model.safetensors.index.json',
    'config.json',
  ]);
});
