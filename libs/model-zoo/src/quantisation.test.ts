import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { algorithm, blockSize, matrixBits, quantisedShapes, quantiseRows, type Bits } from './quantisation.js';
import { dequantised, naiveError } from './quantisation.fixture.js';

const matrices = fc
  .record({ rows: fc.integer({ min: 1, max: 4 }), width: fc.integer({ min: 1, max: 100 }) })
  .chain(({ rows, width }) =>
    fc.record({
      width: fc.constant(width),
      rows: fc.constant(rows),
      values: fc.array(fc.float({ min: -8, max: 8, noNaN: true }), {
        minLength: rows * width,
        maxLength: rows * width,
      }),
    }),
  );

for (const bits of [4, 8] as Bits[]) {
  test(`the error of a block of ${bits}-bit weights is at most that of rounding to equal steps over its range`, () => {
    fc.assert(
      fc.property(matrices, ({ rows, width, values }) => {
        const w = Float32Array.from(values);
        const back = dequantised(quantiseRows(w, width, bits), [rows, width], bits);
        for (let row = 0; row < rows; row++) {
          for (let start = 0; start < width; start += blockSize) {
            const at = row * width + start;
            const length = Math.min(blockSize, width - start);
            const block = w.subarray(at, at + length);
            const step = (Math.max(0, ...block) - Math.min(0, ...block)) / (2 ** bits - 1);
            const error = block.reduce((sum, x, i) => sum + (x - back[at + i]!) ** 2, 0);
            assert.ok(error <= length * (step / 2) ** 2 * 1.001 + 1e-60, `block at ${at}: ${error}, step ${step}`);
          }
        }
      }),
    );
  });
}

/** Weights as checkpoints have them, nearly normal with outliers, in one block. */
const blockOfWeights = fc
  .record({
    length: fc.integer({ min: 1, max: blockSize }),
    seed: fc.integer(),
    exponent: fc.integer({ min: -6, max: 2 }),
  })
  .map(({ length, seed, exponent }) => {
    let state = seed | 1;
    const uniform = (): number => ((state = Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
    const normal = (): number => uniform() + uniform() + uniform() + uniform() - 2;
    return Array.from({ length }, () => Math.fround(normal() * 10 ** exponent * (uniform() < 0.05 ? 5 : 1)));
  });

/** The squared error of a block rounded to 4 bits. */
function errorOf(block: readonly number[]): number {
  const back = dequantised(quantiseRows(Float32Array.from(block), block.length, 4), [1, block.length], 4);
  return block.reduce((sum, x, i) => sum + (x - back[i]!) ** 2, 0);
}

/** The squared error of single precision itself. */
const single = (block: readonly number[]): number => block.reduce((sum, x) => sum + x * x, 0) * 2 ** -44 + 1e-60;

test('the search finds an error no larger than its plain twin does', () => {
  fc.assert(
    fc.property(blockOfWeights, (block) => {
      assert.ok(errorOf(block) <= naiveError(block, [0, -1, 1], true) * 1.0001 + single(block), block.join(' '));
    }),
    { numRuns: 500 },
  );
});

test('no block is rounded worse than by narrowing its range alone, and most a little better', () => {
  let [all, better] = [0, 0];
  fc.assert(
    fc.property(blockOfWeights, (block) => {
      const [ours, theirs] = [errorOf(block), naiveError(block, [0], false)];
      assert.ok(ours <= theirs * 1.0001 + single(block), `${ours} > ${theirs}: ${block.join(' ')}`);
      all++;
      if (ours < theirs) better++;
    }),
    { numRuns: 500 },
  );
  assert.ok(better > all / 2, `${better} of ${all}`);
});

test('the results of the algorithm have its name: who changes them renames it, or old files would be read', () => {
  const w = Float32Array.from({ length: 4 * 96 }, (_, i) => Math.sin(i * i) * (i % 37 === 0 ? 3 : 1));
  const hash = createHash('sha256');
  for (const bits of [4, 8] as Bits[]) {
    const { blocks, scales, zeros } = quantiseRows(w, 96, bits);
    for (const part of [blocks, new Uint8Array(scales.buffer), zeros]) hash.update(part);
  }
  const names = ['lm_head', 'model.embed_tokens', 'l.0.q_proj', 'l.0.v_proj', 'l.0.down_proj', 'l.0.fc1', 'l.0.fc2'];
  hash.update(names.map((name) => matrixBits(`${name}.weight`, 'int4')).join());
  assert.deepEqual([algorithm, hash.digest('hex').slice(0, 16)], ['a2sf-blocks-2', 'eee3102787a53b44']);
});

test('int8 keeps every matrix in 8 bits', () => {
  for (const name of ['lm_head.weight', 'layers.3.mlp.up_proj.weight']) assert.equal(matrixBits(name, 'int8'), 8);
  assert.equal(matrixBits('layers.3.mlp.up_proj.weight', 'int4'), 4);
});

test('weights that lie on the levels come back as they are', () => {
  const width = 33; // the second block holds one weight
  const w = Float32Array.from({ length: 2 * width }, (_, i) => ((i % 16) - 6) / 4);
  w[32] = 0;
  w[65] = 1.5;
  assert.deepEqual(dequantised(quantiseRows(w, width, 4), [2, width], 4), w);
});

test('the bytes are those of MatMulNBits: low half first, zero points of a row together', () => {
  const w = Float32Array.from({ length: 33 }, (_, i) => (i < 16 ? i : 0));
  const { blocks, scales, zeros } = quantiseRows(w, 33, 4);
  const padding = Array<number>(8 + 16).fill(0);
  assert.deepEqual([...blocks], [0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe, ...padding]);
  assert.deepEqual([...scales], [1, 1]);
  assert.deepEqual([...zeros], [0]);
  assert.deepEqual(quantisedShapes([3, 65], 4), { blocks: [3, 3, 16], scales: [3, 3], zeros: [3, 2] });
  assert.deepEqual(quantisedShapes([3, 65], 8), { blocks: [3, 3, 32], scales: [3, 3], zeros: [3, 3] });
});
