import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { checkLogProbs, maxLogProbs } from './log-prob.js';
import { metricNamed } from './metrics.js';
import { scoreItem } from './score-item.js';

const score = (logProbs: readonly number[]): number =>
  scoreItem(metricNamed('log_prob'), { prediction: '', references: [], allClasses: [], dataset: '', logProbs });

function assertClose(actual: number, wanted: number): void {
  assert.ok(Math.abs(actual - wanted) < 1e-12, `${actual} for ${wanted}`);
}

test('log_prob is the geometric mean of the probabilities, without texts', () => {
  assertClose(score([Math.log(0.5), Math.log(0.125)]), 0.25);
  assertClose(score([Math.log(0.3)]), 0.3);
  assert.equal(score([0, -0]), 1);
});

test('a token that cannot come makes log_prob 0', () => {
  assert.equal(score([-0.1, -Infinity, 0]), 0);
  assert.equal(score([-Number.MAX_VALUE, -Number.MAX_VALUE]), 0);
});

test('the length of a text does not change its log_prob, and the score stays in 0..1', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ max: 0, noNaN: true }), { minLength: 1 }), (logProbs) => {
      const once = score(logProbs);
      assert.ok(once >= 0 && once <= 1);
      assertClose(score([...logProbs, ...logProbs]), once);
    }),
  );
});

test('log-probabilities that are missing, too many, NaN or above 0 are refused with their place', () => {
  const code = 'INVALID_ARGUMENT';
  assert.throws(() => score([]), {
    code,
    field: 'log_probs',
    message: 'log_probs: must hold 1..65536 entries, holds 0',
  });
  assert.throws(() => score([-1, NaN]), {
    code,
    field: 'log_probs[1]',
    message: 'log_probs[1]: is NaN, must be at most 0',
  });
  assert.throws(() => score([Number.MIN_VALUE]), { code, field: 'log_probs[0]' });
  assert.throws(() => score([-1, 0, Infinity]), { code, field: 'log_probs[2]' });
  const most = Array.from({ length: maxLogProbs }, () => -1);
  assertClose(score(most), Math.exp(-1));
  assert.throws(() => score([...most, -1]), { code, message: /1\.\.65536 entries, holds 65537$/ });
  checkLogProbs([], 0);
});
