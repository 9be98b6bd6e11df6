import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@a2sf/random';
import { calibration } from './calibration.js';

const close = (got: number, want: number): void => assert.ok(Math.abs(got - want) < 1e-12, `${got}, expected ${want}`);

test('the error is the mean distance between what groups expected and earned', () => {
  // Two groups of five: 0.2 expected and 0.1 earned, 0.8 expected and 0.5 earned; in any order.
  const expected = [0.8, 0.2, 0.8, 0.2, 0.8, 0.2, 0.8, 0.2, 0.8, 0.2];
  const earned = [0.3, 0, 0.7, 0.1, 0.5, 0.2, 0.4, 0.1, 0.6, 0.1];
  const { groups, error } = calibration(expected, earned)!;
  assert.deepEqual(
    groups.map(({ size }) => size),
    [5, 5],
  );
  for (const [i, [wanted, got]] of [
    [0.2, 0.1],
    [0.8, 0.5],
  ].entries()) {
    close(groups[i]!.expected, wanted!);
    close(groups[i]!.earned, got!);
  }
  close(error, (0.1 + 0.3) / 2);
});

test('a policy that knows the means has no error where rewards do not vary, and the error is bounded by the largest miss', () => {
  const random = new Random(3);
  for (const n of [1, 4, 9, 10, 11, 49, 50, 51, 503]) {
    const expected = Array.from({ length: n }, () => random.uniform());
    close(calibration(expected, expected)!.error, 0);
    const earned = expected.map((value) => value / 2);
    const { groups, error } = calibration(expected, earned)!;
    assert.equal(
      groups.reduce((sum, { size }) => sum + size, 0),
      n,
    );
    assert.ok(groups.length <= 10 && (groups.length === 1 || groups.every(({ size }) => size >= 5)));
    close(error, expected.reduce((sum, value) => sum + value / 2, 0) / n);
  }
});

test('nothing has no calibration, and what is no number is refused', () => {
  assert.equal(calibration([], []), undefined);
  assert.throws(() => calibration([0.5], []), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => calibration([NaN], [0]), { code: 'INVALID_ARGUMENT' });
});
