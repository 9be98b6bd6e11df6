import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isA2sfError } from '@a2sf/errors';
import { parseSafetensors } from './safetensors-bytes.js';
import {
  isTorchFile,
  openTorchFile,
  readTorchTensor,
  TorchObject,
  verifyTorchFile,
  type TorchFile,
} from './torch-file.js';
import { makeTorchFile, makeZip, pickledTensor, pickledText } from './torch.fixture.js';

const fixtures = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-torch-'));
after(() => rmSync(folder, { recursive: true }));

function open(bytes: Uint8Array, name = 'model.bin'): TorchFile {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return openTorchFile(path);
}

/** Opens a file and reads all of it. */
function readAll(bytes: Uint8Array): void {
  const file = open(bytes);
  verifyTorchFile(file);
  for (const tensor of file.tensors.values()) readTorchTensor(file, tensor);
}

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const tensor = { key: '0', elements: 6, shape: [2, 3], strides: [3, 1] };
const storages = { 0: floats(1, 2, 3, 4, 5, 6) };
const modelOf = (...tensors: string[]): string =>
  `}(${tensors.map((opcodes, i) => `${pickledText(`w${i}`)}${opcodes}`).join('')}u.`;

test('the tensors of pytorch_model.bin are those of model.safetensors, byte for byte and at their offsets', () => {
  const path = join(fixtures, 'lm-llama-bin/pytorch_model.bin');
  const file = openTorchFile(path);
  const whole = readFileSync(path);
  const { tensors } = parseSafetensors(readFileSync(join(fixtures, 'lm-llama/model.safetensors')));
  const extra = [...file.tensors.keys()].filter((name) => !tensors.has(name));
  assert.equal(file.tensors.size - extra.length, tensors.size);
  assert.ok(extra.every((name) => name.endsWith('rotary_emb.inv_freq')) && extra.length === 3);
  for (const [name, { dtype, shape, data }] of tensors) {
    const got = file.tensors.get(name)!;
    assert.deepEqual(
      { ...got, offset: 0 },
      {
        name,
        dtype,
        shape,
        strides: got.strides,
        offset: 0,
        byteLength: data.byteLength,
        isContiguous: true,
      },
    );
    assert.deepEqual(readTorchTensor(file, got), data);
    assert.deepEqual(new Uint8Array(whole.subarray(got.offset, got.offset + got.byteLength)), data);
  }
  verifyTorchFile(file);
});

test('the tensors of the reference’s checkpoints are those that PyTorch read', () => {
  const { tensors } = parseSafetensors(readFileSync(join(fixtures, 'seed-checkpoint/expected.safetensors')));
  for (const name of ['policy_10.pt', 'policy_10_main.pt', 'policy_final.pt']) {
    const file = openTorchFile(join(fixtures, 'seed-checkpoint', name));
    assert.deepEqual([...file.tensors.keys()].filter((key) => !tensors.has(key)).sort(), [
      'config.a_values',
      'config.b_values',
    ]);
    for (const [key, { dtype, shape, data }] of tensors) {
      const got = file.tensors.get(key)!;
      assert.deepEqual([got.dtype, got.shape, readTorchTensor(file, got)], [dtype, shape, data], `${name}: ${key}`);
    }
    const config = (file.tree as ReadonlyMap<string, unknown>).get('config');
    assert.ok(config instanceof TorchObject);
    assert.match(config.className, /^(RL\.main|__main__)\.A2SFRLConfig$/);
    assert.equal((config.state as ReadonlyMap<string, unknown>).get('seed'), 77);
    verifyTorchFile(file);
  }
});

test('a file is known by its name or its first bytes', () => {
  const legacy = Buffer.from('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.', 'latin1');
  open(makeTorchFile('}.'), 'zip.bin');
  writeFileSync(join(folder, 'old.bin'), legacy);
  writeFileSync(join(folder, 'empty.bin'), '');
  assert.ok(isTorchFile(join(folder, 'zip.bin')));
  assert.ok(isTorchFile(join(folder, 'old.bin')));
  assert.ok(isTorchFile(join(folder, 'missing.PT')));
  assert.ok(!isTorchFile(join(folder, 'empty.bin')));
  assert.ok(!isTorchFile(join(fixtures, 'lm-llama/model.safetensors')));
  assert.throws(() => openTorchFile(join(folder, 'old.bin')), {
    code: 'FAILED_PRECONDITION',
    message: /^old\.bin: was written by a PyTorch before 1\.6; load it .* save it again$/,
  });
  assert.throws(() => openTorchFile(join(folder, 'missing.pt')), { code: 'NOT_FOUND' });
});

test('a transposed tensor, a column and a slice of a storage are read in the order of their elements', () => {
  const file = open(
    makeTorchFile(
      modelOf(
        pickledTensor({ ...tensor, shape: [3, 2], strides: [1, 3] }),
        pickledTensor({ ...tensor, start: 1, shape: [2], strides: [3] }),
        pickledTensor({ ...tensor, start: 3, shape: [3], strides: [1] }),
        pickledTensor({ ...tensor, shape: [1, 6, 1], strides: [17, 1, 99] }),
        pickledTensor({ ...tensor, start: 4, shape: [], strides: [] }),
        pickledTensor({ ...tensor, shape: [0, 3], strides: [3, 1] }),
      ),
      storages,
    ),
  );
  const got = [...file.tensors.values()].map((each) => [
    each.isContiguous,
    ...new Float32Array(readTorchTensor(file, each).buffer),
  ]);
  assert.deepEqual(got, [
    [false, 1, 4, 2, 5, 3, 6],
    [false, 2, 5],
    [true, 4, 5, 6],
    [true, 1, 2, 3, 4, 5, 6],
    [true, 5],
    [true],
  ]);
});

test('a parameter is its tensor, and tied weights share their bytes', () => {
  const shared = `${pickledTensor(tensor)}q\x01`;
  const parameter = `ctorch._utils\n_rebuild_parameter\n(h\x01\x89NtR`;
  const { tensors, storages: used } = open(makeTorchFile(modelOf(shared, parameter, 'h\x01'), storages));
  assert.deepEqual([...tensors.keys()], ['w0', 'w1', 'w2']);
  assert.equal(new Set([...tensors.values()].map(({ offset }) => offset)).size, 1);
  assert.equal(used.length, 1);
});

test('tensors that cannot be right are refused', () => {
  const cases: [string, object, RegExp][] = [
    ['past the end', { start: 1 }, /reaches over the end of its storage/],
    ['large stride', { strides: [4, 1] }, /reaches over the end/],
    ['far start of nothing', { start: 7, shape: [0], strides: [1] }, /reaches over the end/],
    ['2^80 elements', { shape: [2 ** 40, 2 ** 40], strides: [0, 0] }, /reaches over the end/],
    ['repeated elements', { shape: [2 ** 20], strides: [0] }, /larger than its storage/],
    ['negative stride', { strides: [-3, 1] }, /strides that do not fit/],
    ['negative shape', { shape: [-2, -3] }, /strides that do not fit/],
    ['other rank', { strides: [1] }, /strides that do not fit/],
    ['another size', { elements: 7 }, /24 bytes for 7 F32/],
    ['2^53 elements', { elements: 2 ** 53 - 1 }, /24 bytes for/],
    ['no storage', { key: '../0' }, /storage "\.\.\/0" is missing/],
    ['no type', { type: 'QInt8Storage' }, /"torch\.QInt8Storage" is not known/],
  ];
  for (const [title, change, message] of cases) {
    assert.throws(
      () => open(makeTorchFile(modelOf(pickledTensor({ ...tensor, ...change })), storages)),
      { code: 'DATA_LOSS', message },
      title,
    );
  }
});

test('files that are no state of tensors are refused', () => {
  const hostile = (opcodes: string) => makeTorchFile(opcodes, storages);
  const two = modelOf(pickledTensor(tensor)).replace('}(', `}(${pickledText('a.b')}${pickledTensor(tensor)}`);
  const cases: [string, Uint8Array, string, RegExp][] = [
    ['os.system', hostile('cos\nsystem\n(Vtouch /tmp/x\ntR.'), 'FAILED_PRECONDITION', /names "os\.system"/],
    ['a storage alone', hostile('I1\nQ.'), 'DATA_LOSS', /a storage stands where/],
    ['a function alone', hostile('ctorch\nload\n.'), 'DATA_LOSS', /"torch\.load" stands where/],
    ['a parameter of nothing', hostile('ctorch._utils\n_rebuild_parameter\n)R.'), 'DATA_LOSS', /no tensor/],
    ['a tensor of nothing', hostile('ctorch._utils\n_rebuild_tensor_v2\n)R.'), 'DATA_LOSS', /no storage/],
    [
      'one name twice',
      hostile(two.replace('u.', `${pickledText('a')}}${pickledText('b')}${pickledTensor(tensor)}su.`)),
      'DATA_LOSS',
      /two of this name/,
    ],
    ['2^30 paths', hostile(`]${'q\0]h\0ah\0a'.repeat(30)}.`), 'DATA_LOSS', /more than 1000000 values/],
    ['a long name', hostile(`}${pickledText('x'.repeat(2000))}Ns.`), 'DATA_LOSS', /longer than 1024/],
    ['no pickle', makeZip([{ name: 'a/b', data: floats(1) }]), 'DATA_LOSS', /without data\.pkl/],
    ['text', Buffer.from('no zip file'), 'DATA_LOSS', /not a zip file/],
    [
      'big-endian',
      makeZip([
        { name: 'm/data.pkl', data: Buffer.from('}.') },
        { name: 'm/byteorder', data: Buffer.from('big') },
      ]),
      'FAILED_PRECONDITION',
      /byte order is "big"/,
    ],
  ];
  for (const [title, bytes, code, message] of cases) {
    assert.throws(() => open(bytes), { code, message }, title);
  }
});

test('a checkpoint cut anywhere is refused', () => {
  const bytes = readFileSync(join(fixtures, 'seed-checkpoint/policy_10.pt'));
  for (let length = 0; length < bytes.length; length += length < 4096 ? 61 : 1021) {
    assert.throws(() => open(bytes.subarray(0, length)), { code: 'DATA_LOSS' }, `${length} bytes`);
  }
});

test('a checkpoint with any byte changed is read as it was or refused', () => {
  const bytes = readFileSync(join(fixtures, 'seed-checkpoint/policy_10.pt'));
  const sound = open(bytes);
  const inData = sound.storages[2]!;
  for (let at = 0, step = 0; at < bytes.length; step++, at += at < 3200 || at > 53_300 ? 5 : 401) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1 << (step % 8);
    try {
      readAll(changed);
    } catch (error) {
      assert.ok(isA2sfError(error) && ['DATA_LOSS', 'FAILED_PRECONDITION'].includes(error.code), String(error));
    }
    if (at >= inData.offset && at < inData.offset + inData.byteLength) {
      assert.throws(() => readAll(changed), { code: 'DATA_LOSS', message: /CRC-32 of member "policy_10\/data\/2"/ });
    }
  }
});
