import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { lcsLength, maxSequenceLength } from './longest-common-subsequence.js';

/** The readable twin: l(i, j) = l(i-1, j-1) + 1 where x_i = y_j, else max(l(i-1, j), l(i, j-1)). */
function naiveLength(x: readonly number[], y: readonly number[]): number {
  const table = Array.from({ length: x.length + 1 }, () => Array.from({ length: y.length + 1 }, () => 0));
  for (let i = 1; i <= x.length; i++) {
    for (let j = 1; j <= y.length; j++) {
      table[i]![j] = x[i - 1] === y[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!);
    }
  }
  return table[x.length]![y.length]!;
}

test('the bit-parallel length is that of the textbook table, over few and many symbols', () => {
  for (const symbols of [1, 2, 20, 50]) {
    const sequence = fc.array(fc.nat(symbols), { maxLength: 150 });
    fc.assert(fc.property(sequence, sequence, (x, y) => assert.equal(lcsLength(x, y), naiveLength(x, y))));
  }
});

test('lengths around the word size are exact', () => {
  for (const length of [0, 1, 29, 30, 31, 59, 60, 61]) {
    const x = Array.from({ length }, (_, i) => i);
    assert.equal(lcsLength(x, x), length);
    assert.equal(lcsLength(x, x.toReversed()), Math.min(1, length));
  }
});

test('a sequence over the limit is refused', () => {
  const long = new Uint8Array(maxSequenceLength + 1);
  assert.throws(() => lcsLength(long, [1]), { code: 'RESOURCE_EXHAUSTED', reason: 'text-too-long', message: /65536/ });
  assert.throws(() => lcsLength([1], long), { code: 'RESOURCE_EXHAUSTED' });
});
