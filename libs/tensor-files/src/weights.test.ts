import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeSafetensors, parseSafetensors } from './safetensors-bytes.js';
import { openSafetensors, readTensor } from './safetensors-file.js';
import { makeTorchFile, pickledTensor, pickledText } from './torch.fixture.js';
import { openWeights } from './weights.js';

const fixtures = fileURLToPath(new URL('../../../test/fixtures', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'a2sf-weights-'));
after(() => rmSync(scratch, { recursive: true }));

let folders = 0;
function folderWith(files: Record<string, string | Uint8Array>): string {
  const folder = join(scratch, String(folders++));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const one = encodeSafetensors(new Map([['w', { dtype: 'F32', shape: [1], data: new Uint8Array(4) }]]));

test('the shards of a model hold the same tensors as its single file', () => {
  const whole = openWeights(join(fixtures, 'lm-llama'));
  const sharded = openWeights(join(fixtures, 'lm-llama-sharded'));
  assert.equal(whole.files.length, 1);
  assert.equal(sharded.files.length, 2);
  assert.deepEqual([...sharded.names()].sort(), [...whole.names()].sort());
  for (const name of whole.names()) {
    const x = whole.find(name)!;
    const y = sharded.find(name)!;
    assert.deepEqual(x.tensor.shape, y.tensor.shape);
    assert.deepEqual(x.file.read(name), y.file.read(name));
  }
  assert.equal(whole.find('model.nothing'), undefined);
});

test('a tensor lies in the file where its info says', () => {
  const path = join(fixtures, 'lm-llama', 'model.safetensors');
  const bytes = new Uint8Array(readFileSync(path));
  const parsed = parseSafetensors(bytes);
  const file = openSafetensors(path);
  assert.ok(file.tensors.size > 10);
  for (const info of file.tensors.values()) {
    const range = bytes.slice(info.offset, info.offset + info.byteLength);
    assert.deepEqual(readTensor(file, info.name), range);
    assert.deepEqual(parsed.tensors.get(info.name), { dtype: info.dtype, shape: info.shape, data: range });
  }
});

test('weights saved by torch are the same as safetensors, tensor for tensor', () => {
  const torch = openWeights(join(fixtures, 'lm-llama-bin'));
  const safe = openWeights(join(fixtures, 'lm-llama'));
  for (const name of safe.names()) {
    const { file, tensor } = torch.find(name)!;
    assert.deepEqual(file.read(name), safe.find(name)!.file.read(name), name);
    const bytes = readFileSync(file.path).subarray(tensor.offset, tensor.offset + tensor.byteLength);
    assert.ok(Buffer.from(file.read(name)).equals(bytes), `${name} lies where its place says`);
  }
});

test('a tensor that does not lie in one piece is refused with the remedy', () => {
  const tensor = { key: '0', elements: 6, shape: [3, 2], strides: [1, 3] };
  const pickle = `\x80\x02}${pickledText('w')}${pickledTensor(tensor)}s.`;
  const folder = folderWith({
    'pytorch_model.bin': new Uint8Array(makeTorchFile(pickle, { '0': new Uint8Array(24) })),
  });
  assert.throws(() => openWeights(folder), { code: 'FAILED_PRECONDITION', reason: 'scattered-tensor', message: /"w"/ });
});

test('safetensors go before what torch saved', () => {
  const bin = readFileSync(join(fixtures, 'lm-llama-bin', 'pytorch_model.bin'));
  const both = folderWith({ 'model.safetensors': one, 'pytorch_model.bin': new Uint8Array(bin) });
  assert.deepEqual([...openWeights(both).names()], ['w']);
});

test('an index may name plain files of its own folder only', () => {
  const outside = folderWith({ 'x.safetensors': one });
  for (const name of ['../0/x.safetensors', join(outside, 'x.safetensors'), 'a/b', 'a\\b', '..', '.', '', 'a\0b']) {
    const folder = folderWith({ 'model.safetensors.index.json': JSON.stringify({ weight_map: { w: name } }) });
    assert.throws(() => openWeights(folder), {
      code: 'DATA_LOSS',
      message: /tensor "w": its file is not a plain file name/,
    });
  }
});

test('a broken index and a promise that no shard keeps are refused with DATA_LOSS', () => {
  const open = (index: string): unknown =>
    openWeights(folderWith({ 'model.safetensors.index.json': index, 'a.safetensors': one }));
  assert.throws(() => open('{'), { code: 'DATA_LOSS' });
  assert.throws(() => open('{"weight_map":[]}'), { code: 'DATA_LOSS', message: /has no weight_map/ });
  assert.throws(() => open('['.repeat(1_000_000)), { code: 'DATA_LOSS' });
  assert.throws(() => open('{"weight_map":{"w":"a.safetensors","w":"b"}}'), { code: 'DATA_LOSS', message: /twice/ });
  assert.throws(() => open('{"weight_map":{"v":"a.safetensors"}}'), {
    code: 'DATA_LOSS',
    message: /tensor "v": missing/,
  });
  assert.throws(() => open('{"weight_map":{"w":"b.safetensors"}}'), {
    code: 'NOT_FOUND',
    message: 'b.safetensors: no such file',
  });
});

test('a missing file, a folder in its place and a file cut after it was opened are told apart', () => {
  assert.throws(() => openWeights(scratch), {
    code: 'NOT_FOUND',
    message: /no model\.safetensors or pytorch_model\.bin/,
  });
  assert.throws(() => openSafetensors(scratch), { code: 'FAILED_PRECONDITION', message: /cannot be read \(EISDIR\)/ });
  const folder = folderWith({ 'model.safetensors': one });
  const file = openSafetensors(join(folder, 'model.safetensors'));
  assert.throws(() => readTensor(file, 'v'), { code: 'NOT_FOUND' });
  truncateSync(file.path, one.byteLength - 1);
  assert.throws(() => readTensor(file, 'w'), { code: 'DATA_LOSS', message: /tensor "w": the file ends early/ });
  assert.throws(() => openSafetensors(file.path), { code: 'DATA_LOSS' });
});
