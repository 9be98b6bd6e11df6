import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayHoldNeededFiles, neededFiles } from './hub-files.js';

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

test('a sentence encoder comes with its modules and their pooling, and with an export only where it has no weights', () => {
  const modules = ['1_Pooling/config.json', 'modules.json', 'sentence_bert_config.json'];
  const exported = ['onnx/model.onnx', 'onnx/model.onnx_data'];
  const others = [
    'onnx/model_O2.onnx',
    'onnx/model_qint8_avx512.onnx',
    'openvino/openvino_model.bin',
    '1_Pooling/x.py',
  ];
  assert.deepEqual(neededFiles(['config.json', ...modules, ...exported, ...others, 'model.safetensors']), [
    '1_Pooling/config.json',
    'model.safetensors',
    'modules.json',
    'sentence_bert_config.json',
    'config.json',
  ]);
  assert.deepEqual(neededFiles(['config.json', ...modules, ...exported, ...others]), [
    '1_Pooling/config.json',
    'modules.json',
    ...exported,
    'sentence_bert_config.json',
    'config.json',
  ]);
});

test('only folders of modules and the export are looked into', () => {
  const folders = ['onnx', '1_Pooling', '2_Normalize', 'openvino', '.git', '..', 'onnx/..', '1_Pooling/..', 'original'];
  assert.deepEqual(folders.filter(mayHoldNeededFiles), ['onnx', '1_Pooling', '2_Normalize']);
  const hostile = [
    '1_Pooling/../config.json',
    '../1_Pooling/config.json',
    'onnx/model.onnx/../../x',
    '1_a\n/config.json',
  ];
  assert.deepEqual(neededFiles(['config.json', 'model.safetensors', ...hostile]), ['model.safetensors', 'config.json']);
});
