import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeSafetensors, parseSafetensors, toFloat32, type Tensor } from '@a2sf/tensor-files';
import { loadLanguageModel, type LoadedLanguageModel } from './load-language-model.js';
import { ModelWeights } from './model-weights.js';
import { algorithm, matrixBits, quantiseRows, type Bits } from './quantisation.js';
import { dequantised } from './quantisation.fixture.js';
import { quantisedFile } from './quantised-file.js';

interface OrtTensor {
  readonly data: Float32Array;
}
interface Ort {
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => OrtTensor;
  readonly InferenceSession: {
    create(
      graph: Uint8Array,
      options: object,
    ): Promise<{
      readonly inputNames: readonly string[];
      run(feeds: Record<string, OrtTensor>, outputs: string[]): Promise<Record<string, OrtTensor>>;
      release(): Promise<void>;
    }>;
  };
}
const ort = createRequire(import.meta.url)('onnxruntime-node') as Ort;

const tiny = fileURLToPath(new URL('../../../models/tiny-a2sf/llm', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'a2sf-quantised-'));
const cacheHome = process.env['XDG_CACHE_HOME'];
before(() => {
  process.env['XDG_CACHE_HOME'] = join(scratch, 'cache');
});
after(() => {
  if (cacheHome === undefined) delete process.env['XDG_CACHE_HOME'];
  else process.env['XDG_CACHE_HOME'] = cacheHome;
  rmSync(scratch, { recursive: true });
});

/** A copy of the tiny model, without anything cached. */
function copied(name: string): string {
  const folder = join(scratch, name);
  cpSync(tiny, folder, { recursive: true, filter: (path) => basename(path) !== '.a2sf' });
  return folder;
}

const cached = (loaded: LoadedLanguageModel): string => loaded.weights.files[0]!;

/** Logits of the last token of a prompt. */
async function logits({ graph, weights, shape }: LoadedLanguageModel, ids: readonly number[]): Promise<Float32Array> {
  const extra = { session: { model_external_initializers_file_folder_path: weights.folder } };
  const session = await ort.InferenceSession.create(graph, { logSeverityLevel: 3, intraOpNumThreads: 1, extra });
  const n = ids.length;
  const int64 = (values: readonly number[], dims: readonly number[]) =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);
  const mask = Float32Array.from({ length: n * n }, (_, i) => (i % n > Math.floor(i / n) ? -1e30 : 0));
  const feeds: Record<string, OrtTensor> = {
    ids: int64(ids, [1, n]),
    positions: int64([...ids.keys()], [1, n]),
    decode: new ort.Tensor('bool', [false], []),
    past_length: int64([0], [1]),
    mask: new ort.Tensor('float32', mask, [n, n]),
    windows: new ort.Tensor('float32', new Float32Array(0), [0, n]),
    logit_rows: int64([n - 1], [1]),
    targets: int64([], [0]),
  };
  for (const name of session.inputNames.filter((input) => input.startsWith('past_') && input.includes('.'))) {
    feeds[name] = new ort.Tensor('float32', new Float32Array(0), [1, shape.kvHeads, 0, shape.headDim]);
  }
  for (const name of Object.keys(feeds)) if (!session.inputNames.includes(name)) delete feeds[name];
  const result = await session.run(feeds, ['logits']);
  await session.release();
  return result['logits']!.data;
}

/** |x - y| / |y| */
function distance(x: Float32Array, y: Float32Array): number {
  const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return norm(x.map((value, i) => value - y[i]!)) / norm(y);
}

/** The tiny model with its linear layers rounded, but stored as float32. */
function twin(format: 'int4' | 'int8'): string {
  const folder = copied(`twin-${format}`);
  const { tensors } = parseSafetensors(readFileSync(join(folder, 'model.safetensors')));
  const rounded = (name: string, { dtype, shape, data }: Tensor): Tensor => {
    const size = shape as [number, number];
    const bits = matrixBits(name, format);
    const values = dequantised(quantiseRows(toFloat32(data, dtype), size[1], bits), size, bits);
    return { dtype: 'F32', shape, data: new Uint8Array(values.buffer) };
  };
  for (const [name, tensor] of tensors) if (name.includes('_proj.')) tensors.set(name, rounded(name, tensor));
  tensors.set('lm_head.weight', rounded('lm_head.weight', tensors.get('model.embed_tokens.weight')!));
  writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(tensors));
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, tie_word_embeddings: false }));
  return folder;
}

for (const format of ['int8', 'int4'] as const) {
  test(`${format}: the logits are those of the rounded weights, the embedding is not rounded`, async () => {
    const folder = copied(`logits-${format}`);
    const ids = Array.from({ length: 40 }, (_, i) => 3 + ((i * 7919) % 2000));
    const quantised = await logits(loadLanguageModel(folder, 64, { weights: format }), ids);
    const error = distance(quantised, await logits(loadLanguageModel(twin(format), 64), ids));
    assert.ok(error < 0.03, `${error} from the rounded weights`); // x is rounded to 8 bits
    const fromStored = distance(quantised, await logits(loadLanguageModel(folder, 64), ids));
    assert.ok(fromStored < (format === 'int8' ? 0.03 : 0.4), `${fromStored} from the stored weights`);
  });
}

test('the second load finds the file of the first, and other weights make another', () => {
  const folder = copied('again');
  const first = cached(loadLanguageModel(folder, 64, { weights: 'int4' }));
  assert.equal(dirname(first), join(folder, '.a2sf'));
  const { ino } = statSync(first);
  assert.equal(cached(loadLanguageModel(folder, 128, { weights: 'int4' })), first);
  assert.equal(statSync(first).ino, ino);
  const int8 = cached(loadLanguageModel(folder, 64, { weights: 'int8' }));
  assert.notEqual(int8, first);
  assert.ok(statSync(first).size < statSync(int8).size);
  const bytes = readFileSync(join(folder, 'model.safetensors'));
  bytes[bytes.length - 4]! ^= 1;
  writeFileSync(join(folder, 'model.safetensors'), bytes);
  assert.notEqual(cached(loadLanguageModel(folder, 64, { weights: 'int4' })), first);
  assert.equal(readdirSync(join(folder, '.a2sf')).filter((name) => name.endsWith('.tmp')).length, 0);
});

test('int4 keeps the keen matrices in 8 bits and the others in 4', () => {
  const loaded = loadLanguageModel(copied('mixed'), 64, { weights: 'int4' });
  const perWeight = (name: string): number => {
    const of = (part: string) => parseSafetensors(readFileSync(cached(loaded))).tensors.get(`${name}.${part}`)!.shape;
    return (8 * of('blocks').reduce((x, y) => x * y, 1)) / (32 * of('scales').reduce((x, y) => x * y, 1));
  };
  const layer = 'model.layers.0';
  for (const name of ['self_attn.v_proj', 'mlp.down_proj']) assert.equal(perWeight(`${layer}.${name}.weight`), 8, name);
  assert.equal(perWeight('model.embed_tokens.weight'), 8);
  for (const name of ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.o_proj', 'mlp.up_proj', 'mlp.gate_proj']) {
    assert.equal(perWeight(`${layer}.${name}.weight`), 4, name);
  }
});

test('a file of another algorithm, of other bits or of another plan is not read', () => {
  const folder = copied('plans');
  const stored = new ModelWeights(folder, ['']);
  const name = 'model.layers.0.mlp.up_proj.weight';
  const norm = 'model.norm.weight';
  const { shape } = stored.index.find(name)!.tensor;
  const size = shape as [number, number];
  const width = stored.index.find(norm)!.tensor.shape;
  const planned = (bits: Bits, plain: [string, readonly number[]][]) =>
    quantisedFile(
      folder,
      stored,
      { plain: new Map(plain), matrices: new Map([[name, { shape: size, bits }]]) },
      'int4',
    );
  const first = planned(4, [[norm, width]]);
  assert.equal(planned(4, [[norm, width]]), first);
  assert.equal(new Set([first, planned(8, [[norm, width]]), planned(4, [])]).size, 3);
  assert.ok(readFileSync(first).subarray(0, 400).includes(`"algorithm":"${algorithm}"`));
});

test('a damaged file is made again, whatever byte changed and wherever it was cut', () => {
  const folder = copied('damaged');
  const path = cached(loadLanguageModel(folder, 64, { weights: 'int4' }));
  const whole = readFileSync(path);
  const flipped = (at: number): Uint8Array => whole.map((byte, i) => (i === at ? byte ^ 1 : byte));
  const n = whole.length;
  const damages = [
    flipped(3),
    flipped(40),
    flipped(n >> 1),
    flipped(n - 1),
    whole.subarray(0, n - 5),
    whole.subarray(0, 9),
  ];
  for (const damage of damages) {
    writeFileSync(path, damage);
    assert.equal(cached(loadLanguageModel(folder, 64, { weights: 'int4' })), path);
    assert.ok(readFileSync(path).equals(whole));
  }
});

test('where the model folder cannot be written the file lies in the cache folder of the user', () => {
  const folder = copied('read-only');
  writeFileSync(join(folder, '.a2sf'), ''); // in the way: also root cannot make a folder here
  chmodSync(folder, 0o555);
  const path = cached(loadLanguageModel(folder, 64, { weights: 'int4' }));
  assert.equal(dirname(path), join(scratch, 'cache', 'a2sf'));
  const { ino } = statSync(path);
  assert.equal(cached(loadLanguageModel(folder, 64, { weights: 'int4' })), path);
  assert.equal(statSync(path).ino, ino);
  chmodSync(folder, 0o755);
});

test('where neither folder can be written the load fails and says so', () => {
  const folder = copied('nowhere');
  writeFileSync(join(folder, '.a2sf'), '');
  const home = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = join(folder, 'config.json');
  try {
    assert.throws(() => loadLanguageModel(folder, 64, { weights: 'int8' }), {
      code: 'FAILED_PRECONDITION',
      reason: 'quantised-weights-not-written',
    });
  } finally {
    process.env['XDG_CACHE_HOME'] = home;
  }
});

test('a weight that is no finite number is refused by the name of its tensor, and leaves no file', () => {
  const folder = copied('nan');
  const { tensors } = parseSafetensors(readFileSync(join(folder, 'model.safetensors')));
  const { dtype, shape, data } = tensors.get('model.layers.1.mlp.up_proj.weight')!;
  const values = toFloat32(data, dtype);
  values[77] = NaN;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  tensors.set('model.layers.1.mlp.up_proj.weight', { dtype: 'F32', shape, data: bytes });
  writeFileSync(join(folder, 'model.safetensors'), encodeSafetensors(tensors));
  assert.throws(
    () => loadLanguageModel(folder, 64, { weights: 'int4' }),
    /model\.layers\.1\.mlp\.up_proj\.weight holds/,
  );
  assert.ok(existsSync(join(folder, '.a2sf')));
  assert.deepEqual(readdirSync(join(folder, '.a2sf')), []);
});
