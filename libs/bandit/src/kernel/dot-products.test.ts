import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Random } from '@a2sf/random';
import { dotProductsModule } from './dot-products-module.js';
import { dotProducts, type DotProducts } from './dot-products.js';
import { plainDotProducts } from './plain-dot-products.js';
import { simdDotProducts } from './simd-dot-products.js';

const simd = simdDotProducts();
const skip = simd === undefined ? 'this machine has no SIMD' : false;
const kernels: readonly DotProducts[] = simd === undefined ? [plainDotProducts] : [plainDotProducts, simd];

function matrix(random: Random, rows: number, length: number): Float32Array {
  return Float32Array.from({ length: rows * length }, () => 2 * random.uniform() - 1);
}

/** Any single-precision numbers, infinities and subnormal ones too. */
const anyMatrices = fc
  .record({ rows: fc.nat(9), columns: fc.nat(13), length: fc.integer({ min: 1, max: 21 }) })
  .chain(({ rows, columns, length }) => {
    const numbers = (count: number) =>
      fc
        .array(fc.oneof(fc.float({ noNaN: true }), fc.float({ min: -1, max: 1, noNaN: true })), {
          minLength: count,
          maxLength: count,
        })
        .map((values) => Float32Array.from(values));
    return fc.record({ a: numbers(rows * length), b: numbers(columns * length), length: fc.constant(length) });
  });

test('the kernel and its plain twin agree to the last bit', { skip }, () => {
  fc.assert(
    fc.property(anyMatrices, ({ a, b, length }) =>
      assert.deepEqual(simd!(a, b, length), plainDotProducts(a, b, length)),
    ),
  );
});

test('they agree where the matrices do not fit the memory of the kernel at once', { skip }, () => {
  const random = new Random(1);
  for (const [rows, columns, length] of [
    [260, 70, 770], // two panels of the one by four of the other
    [5, 9, 70_001], // less than four rows fit
    [1, 61, 512],
    [3, 5, 1], // after the large ones: what they left in the memory is not read
  ] as const) {
    const a = matrix(random, rows, length);
    const b = matrix(random, columns, length);
    assert.deepEqual(simd!(a, b, length), plainDotProducts(a, b, length));
  }
});

test('the memory of a new kernel grows to what it needs', { skip }, () => {
  const random = new Random(4);
  for (const length of [2000, 5000, 12_000, 50_000]) {
    const a = matrix(random, 1, length);
    const b = matrix(random, 4, length);
    assert.deepEqual(simdDotProducts()!(a, b, length), plainDotProducts(a, b, length));
  }
});

test('every entry is its sum, up to the rounding of single precision', () => {
  const random = new Random(2);
  const [rows, columns, length] = [7, 6, 101];
  const a = matrix(random, rows, length);
  const b = matrix(random, columns, length);
  for (const kernel of kernels) {
    const c = kernel(a, b, length);
    assert.equal(c.length, rows * columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        let magnitude = 0;
        for (let k = 0; k < length; k++) {
          const product = a[i * length + k]! * b[j * length + k]!;
          sum += product;
          magnitude += Math.abs(product);
        }
        assert.ok(Math.abs(c[i * columns + j]! - sum) <= (length / 4 + 4) * 2 ** -24 * magnitude);
      }
    }
  }
});

test('an entry depends on its two rows alone, to the last bit', () => {
  const random = new Random(3);
  const length = 37;
  const a = matrix(random, 11, length);
  const b = matrix(random, 9, length);
  for (const kernel of kernels) {
    const all = kernel(a, b, length);
    for (let i = 0; i < 11; i++) {
      for (let j = 0; j < 9; j++) {
        const alone = kernel(a.slice(i * length, (i + 1) * length), b.slice(j * length, (j + 1) * length), length);
        assert.deepEqual([...alone], [all[i * 9 + j]]);
      }
    }
  }
});

test('no rows give no products', () => {
  for (const kernel of kernels) assert.equal(kernel(new Float32Array(), Float32Array.of(1, 2, 3), 3).length, 0);
});

/** A function of four lanes, the smallest module that only a machine with SIMD takes. */
const probe = Buffer.from('AGFzbQEAAAABBQFgAAF7AwIBAAoKAQgAQQD9D/1iCw==', 'base64');

test('the kernel is used where the machine has SIMD, and the plain twin elsewhere', () => {
  const { WebAssembly: platform } = globalThis as { WebAssembly?: { validate(bytes: Uint8Array): boolean } };
  const hasSimd = platform?.validate(probe) === true;
  assert.equal(simd !== undefined, hasSimd);
  assert.equal(dotProducts === plainDotProducts, !hasSimd);
});

interface Wabt {
  parseWat(
    name: string,
    text: string,
    features: { readonly simd: boolean },
  ): { toBinary(options: object): { buffer: Uint8Array } };
}

/** The assembler is no dependency of the project, and none of its types are known. */
const assemblerPackage: string = 'wabt';
const assembler = await import(assemblerPackage).then(
  (module: { readonly default: () => Promise<Wabt> }) => module.default(),
  () => undefined,
);

test('the module is the assembled text', { skip: assembler === undefined && 'wabt is not installed' }, () => {
  const text = readFileSync(new URL('../../src/kernel/dot-products.wat', import.meta.url), 'utf8');
  const { buffer } = assembler!.parseWat('dot-products.wat', text, { simd: true }).toBinary({});
  assert.equal(Buffer.from(buffer).toString('base64'), dotProductsModule);
});
