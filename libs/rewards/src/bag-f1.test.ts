import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { bagF1 } from './bag-f1.js';

test('a word is shared as often as the rarer side holds it', () => {
  assert.equal(bagF1(['a', 'a', 'a', 'b'], ['a', 'a', 'c']), 4 / 7);
  assert.equal(bagF1([], []), 0);
  assert.equal(bagF1(['a'], []), 0);
});

test('neither the order of the words nor the side matters', () => {
  const bag = fc.array(fc.constantFrom('a', 'b', 'c'));
  fc.assert(
    fc.property(bag, bag, (x, y) => {
      assert.equal(bagF1(x, y), bagF1(y, x));
      assert.equal(bagF1(x, y), bagF1(x.toReversed(), y));
    }),
  );
});
