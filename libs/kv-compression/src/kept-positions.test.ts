import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { selectKeptPositions } from './kept-positions.js';

const code = 'INVALID_ARGUMENT';
const none = new Int32Array();

test('forced positions and the best of the others are kept, as a full sort would, ties to the lower position', () => {
  const rank = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ min: -1e30, max: 1e30, noNaN: true }));
  const row = fc.array(fc.record({ rank, force: fc.nat(3) }), { minLength: 1, maxLength: 120 });
  fc.assert(
    fc.property(row, fc.integer({ min: 1, max: 130 }), (row, kept) => {
      const n = row.length;
      const ranks = Float32Array.from(row, ({ rank }) => rank);
      const all = row.map((_, k) => k);
      const forced = all.filter((k) => row[k]!.force === 0).slice(0, kept);
      const others = all.filter((k) => !forced.includes(k)).sort((x, y) => ranks[y]! - ranks[x]! || x - y);
      const wanted = [...forced, ...others].slice(0, kept).sort((x, y) => x - y);
      const before = ranks.slice();
      assert.deepEqual([...selectKeptPositions(ranks, n, kept, Int32Array.from(forced))], wanted);
      assert.deepEqual(ranks, before);
    }),
    { numRuns: 500 },
  );
});

test('a row that fits is kept whole, without ranks', () => {
  assert.deepEqual([...selectKeptPositions(new Float32Array(), 3, 3, none)], [0, 1, 2]);
});

test('NaN is refused where it competes and ignored where it is forced', () => {
  const ranks = Float32Array.of(0, NaN, 0);
  assert.throws(() => selectKeptPositions(ranks, 3, 2, none), { code, message: 'scores: is NaN at position 1' });
  assert.deepEqual([...selectKeptPositions(ranks, 3, 2, Int32Array.of(1))], [0, 1]);
});

test('an impossible row, count or forced position is refused', () => {
  const ranks = new Float32Array(9);
  assert.throws(() => selectKeptPositions(ranks, 10, 2, none), { code, field: 'n' });
  assert.throws(() => selectKeptPositions(ranks, 0, 2, none), { code, field: 'n' });
  assert.throws(() => selectKeptPositions(ranks, 9, 0, none), { code, field: 'kept' });
  for (const forced of [[1, 2, 3], [3, 3], [4, 2], [-1, 2], [9]]) {
    assert.throws(() => selectKeptPositions(ranks, 9, 2, Int32Array.from(forced)), { code, field: 'forced' });
  }
});
