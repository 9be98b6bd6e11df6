import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from '@a2sf/observability';
import type { EvaluationLine } from '@a2sf/training';
import { trainerMetrics } from './trainer-metrics.js';

const interval = { mean: 0.5, low: 0.25, high: 0.75 };
const line: EvaluationLine = {
  iteration: 3,
  eval_avg_reward: 0.5,
  eval_low: 0.25,
  eval_high: 0.75,
  eval_rewards: [0.25, 0.75],
  eval_actions_a: [0, 1],
  eval_actions_b: [8, 8],
  baselines: { full: { ...interval, mean: 1 } },
  kept_all: 0,
};

test('an evaluation is told with its baselines, and with its calibration where that is known', async () => {
  const metrics = new Metrics({ processMetrics: false });
  const told = trainerMetrics(metrics);
  const valueOf = async (series: string): Promise<number | undefined> => {
    const found = (await metrics.registry.metrics()).split('\n').find((sample) => sample.startsWith(`${series} `));
    return found === undefined ? undefined : Number(found.slice(series.length));
  };
  const calibration = 'a2sf_trainer_evaluation_calibration_error';
  const violations = 'a2sf_trainer_evaluation_bound_violation_ratio';
  told.onEvaluation!(line, 1);
  assert.equal(await valueOf('a2sf_trainer_evaluation_reward{baseline="policy"}'), 0.5);
  assert.equal(await valueOf('a2sf_trainer_evaluation_reward{baseline="full"}'), 1);
  assert.deepEqual([await valueOf(calibration), await valueOf(violations)], [undefined, undefined]);
  told.onEvaluation!({ ...line, eval_calibration_error: 0.125, eval_bound_violations: 0.5 }, 1);
  told.onEvaluation!({ ...line, eval_calibration_error: 0.0625, eval_bound_violations: 0 }, 1);
  assert.deepEqual([await valueOf(calibration), await valueOf(violations)], [0.0625, 0]);
});
