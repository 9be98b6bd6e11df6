import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type * as Ort from 'onnxruntime-node';
import { GraphBuilder, type Subgraph } from './graph-builder.js';

const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Ort;
const folder = mkdtempSync(join(tmpdir(), 'a2sf-graph-'));
after(() => rmSync(folder, { recursive: true }));

const session = (g: GraphBuilder): Promise<Ort.InferenceSession> =>
  ort.InferenceSession.create(g.serialize(), {
    logSeverityLevel: 3,
    extra: { session: { model_external_initializers_file_folder_path: folder } },
  });
const vector = (...values: number[]): Ort.Tensor =>
  new ort.Tensor('float32', Float32Array.from(values), [values.length]);

test('a graph computes what its nodes say', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['N']);
  g.output('y', g.op('Add', [g.op('Mul', [x, g.scalar(3)]), g.floats(new Float32Array([1, 2]), [2])]), 'float32', [
    'N',
  ]);
  const { y } = await (await session(g)).run({ x: vector(10, 20) });
  assert.deepEqual([...(y!.data as Float32Array)], [31, 62]);
});

test('a weight is read from its place in a file, half precision as float32', async () => {
  const bytes = Buffer.alloc(64);
  bytes.writeFloatLE(1.5, 8);
  bytes.writeFloatLE(-2, 12);
  bytes.writeUInt16LE(0x3fc0, 16); // 1.5 as bfloat16
  bytes.writeUInt16LE(0xc000, 18); // -2 as bfloat16
  bytes.writeUInt16LE(0x3e00, 24); // 1.5 as float16
  bytes.writeUInt16LE(0xc000, 26); // -2 as float16
  writeFileSync(join(folder, 'w.bin'), bytes);
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [2]);
  const at = { shape: [2], location: 'w.bin' };
  const weights = [
    g.weight('f', { type: 'float32', offset: 8, byteLength: 8, ...at }),
    g.weight('b', { type: 'bfloat16', offset: 16, byteLength: 4, ...at }),
    g.weight('h', { type: 'float16', offset: 24, byteLength: 4, ...at }),
  ];
  weights.forEach((weight, i) => g.output(`y${i}`, g.op('Mul', [x, weight]), 'float32', [2]));
  const result = await (await session(g)).run({ x: vector(2, 3) });
  for (const name of ['y0', 'y1', 'y2']) assert.deepEqual([...(result[name]!.data as Float32Array)], [3, -6]);
});

test('a branch runs only the side that its condition picks, and sees the values around it', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [2]);
  const condition = g.input('condition', 'bool', []);
  const [y] = g.branch(
    condition,
    1,
    (then) => then.result(then.op('Mul', [x, then.scalar(2)]), 'float32', [2]),
    (otherwise) => otherwise.result(otherwise.op('Neg', [x]), 'float32', [2]),
  );
  g.output('y', y!, 'float32', [2]);
  const s = await session(g);
  for (const [value, expected] of [
    [true, [2, 4]],
    [false, [-1, -2]],
  ] as const) {
    const result = await s.run({ x: vector(1, 2), condition: new ort.Tensor('bool', [value], []) });
    assert.deepEqual([...(result['y']!.data as Float32Array)], expected);
  }
});

test('a scan goes through slices, gives on what it carries, and stacks what it makes', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', ['N', 2]);
  const factors = g.input('factors', 'float32', ['N', 1]);
  const [sum, sums, products] = g.scan(
    [{ first: g.floats(new Float32Array([1, 2]), [2]), type: 'float32', dims: [2] }],
    [
      { of: x, type: 'float32', dims: [2] },
      { of: factors, type: 'float32', dims: [1] },
    ],
    [
      { type: 'float32', dims: [2] },
      { type: 'float32', dims: [2] },
    ],
    (body, [before], [row, factor]) => {
      const after = body.op('Add', [before!, row!]);
      return { carried: [after], values: [after, body.op('Mul', [row!, factor!])] };
    },
  );
  g.output('sum', sum!, 'float32', [2]);
  g.output('sums', sums!, 'float32', ['N', 2]);
  g.output('products', products!, 'float32', ['N', 2]);
  const s = await session(g);
  const matrix = (columns: number, ...values: number[]): Ort.Tensor =>
    new ort.Tensor('float32', Float32Array.from(values), [values.length / columns, columns]);
  const result = await s.run({ x: matrix(2, 10, 20, 30, 40, 50, 60), factors: matrix(1, 1, 2, 3) });
  const values = (name: string): number[] => [...(result[name]!.data as Float32Array)];
  assert.deepEqual(values('sum'), [91, 122]);
  assert.deepEqual(values('sums'), [11, 22, 41, 62, 91, 122]);
  assert.deepEqual(values('products'), [10, 20, 60, 80, 150, 180]);
});

test('a loop gives on what it carries, growing or not, and stacks the values of its turns', async () => {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [1]);
  const turns = g.input('turns', 'int64', []);
  const [sum, seen, doubled] = g.loop(
    turns,
    [
      { first: x, type: 'float32', dims: [1] },
      { first: g.floats(new Float32Array(0), [0]), type: 'float32', dims: ['seen'] },
    ],
    [{ type: 'float32', dims: [1] }],
    (body, [value, list]) => ({
      carried: [body.op('Add', [value!, x]), body.op('Concat', [list!, value!], { axis: 0 })],
      values: [body.op('Mul', [value!, body.scalar(2)])],
    }),
  );
  g.output('sum', sum!, 'float32', [1]);
  g.output('seen', seen!, 'float32', ['seen']);
  g.output('doubled', doubled!, 'float32', ['turns', 1]);
  const s = await session(g);
  for (const n of [3, 0]) {
    const result = await s.run({ x: vector(5), turns: new ort.Tensor('int64', [BigInt(n)], []) });
    const values = (name: string): number[] => [...(result[name]!.data as Float32Array)];
    assert.deepEqual(values('sum'), [5 * (n + 1)]);
    assert.deepEqual(values('seen'), n === 3 ? [5, 10, 15] : []);
    assert.deepEqual(values('doubled'), n === 3 ? [10, 20, 30] : []);
  }
});

test('a weight that two subgraphs use is in the model once', async () => {
  writeFileSync(join(folder, 'half.bin'), Buffer.from([0xc0, 0x3f])); // 1.5 as bfloat16
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [1]);
  const side = (scale: number) => (branch: Subgraph) => {
    const w = branch.weight('w', { type: 'bfloat16', shape: [1], location: 'half.bin', offset: 0, byteLength: 2 });
    branch.result(branch.op('Mul', [branch.op('Mul', [x, w]), branch.scalar(scale)]), 'float32', [1]);
  };
  const [y] = g.branch(g.input('condition', 'bool', []), 1, side(1), side(10));
  g.output('y', y!, 'float32', [1]);
  const s = await session(g);
  for (const [value, expected] of [
    [true, 3],
    [false, 30],
  ] as const) {
    const result = await s.run({ x: vector(2), condition: new ort.Tensor('bool', [value], []) });
    assert.deepEqual([...(result['y']!.data as Float32Array)], [expected]);
  }
});

test('a weight outside the model folder is refused when the model is loaded', async () => {
  for (const location of ['../w.bin', '/etc/hostname']) {
    const g = new GraphBuilder();
    const w = g.weight('w', { type: 'float32', shape: [1], location, offset: 0, byteLength: 4 });
    g.output('y', g.op('Neg', [w]), 'float32', [1]);
    await assert.rejects(session(g), location);
  }
});
