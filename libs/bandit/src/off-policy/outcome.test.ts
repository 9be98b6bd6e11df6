import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weigh, type LoggedOutcome } from './outcome.js';

const outcome = (change: Partial<LoggedOutcome> = {}): LoggedOutcome => ({
  actionIndex: 1,
  reward: 0.5,
  propensity: 0.25,
  target: [0.25, 0.5, 0.25],
  predictions: [0.2, 0.4, 0.8],
  ...change,
});

test('an outcome is weighed by the quotient of the two probabilities, its expectations are those of the target', () => {
  const known = { weight: 2, reward: 0.5, predicted: 0.4, expected: 0.45 };
  assert.deepEqual(weigh(outcome()), known);
  assert.deepEqual(weigh(outcome({ rewards: [1, 0.5, 0] })), { ...known, exact: 0.5 });
});

test('a propensity that is missing, 0, negative, vanishing or above 1 is refused by name', () => {
  for (const propensity of [undefined, null, NaN, 0, -0.5, 1e-300, 1.01] as number[]) {
    assert.throws(() => weigh(outcome({ propensity }), 'decision d-7'), {
      code: 'INVALID_ARGUMENT',
      field: 'decision d-7.propensity',
      message: /^decision d-7\.propensity: must be in \(0, 1\]/,
    });
  }
});

test('what is no action, no reward, no distribution or of another number of actions is refused', () => {
  const cases: [Partial<LoggedOutcome>, string][] = [
    [{ actionIndex: 3 }, 'action_index'],
    [{ actionIndex: 0.5 }, 'action_index'],
    [{ reward: 1.5 }, 'reward'],
    [{ reward: NaN }, 'reward'],
    [{ target: [0.5, 0.6, 0] }, 'target'],
    [{ target: [1.5, -0.5, 0] }, 'target[1]'],
    [{ target: [0.5, NaN, 0.5] }, 'target[1]'],
    [{ predictions: [0.5, 0.5] }, 'predictions'],
    [{ predictions: [0.5, 0.5, Infinity] }, 'predictions'],
    [{ rewards: [0, 1, 2] }, 'rewards[2]'],
    [{ rewards: [0, 1] }, 'rewards'],
  ];
  for (const [change, field] of cases) {
    assert.throws(() => weigh(outcome(change)), { code: 'INVALID_ARGUMENT', field: `outcome.${field}` });
  }
});
