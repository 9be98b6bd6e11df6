import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { blockSize, quantisedShapes, quantiseRows, type Bits } from './quantisation.js';
import { dequantised } from './quantisation.fixture.js';

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
