import type { Scalar } from './event-file.js';
import type { RunRecord } from './run-record.js';

/**
 * The numbers of a run as TensorBoard shows them: train/reward, train/loss, seconds/<stage>; evaluation/policy with its
 * interval, evaluation/<baseline>, evaluation/regret = oracle - policy.
 *
 * Logs hold how long iterations took, not when they were: an iteration's time is `startSeconds` plus what all before it
 * took, those that were not logged as long as the next one that was.
 */
export function scalarsOf({ progress, evaluations }: RunRecord, startSeconds: number): Scalar[] {
  const ends = endTimes(progress, startSeconds);
  const scalars: Scalar[] = [];
  for (const [i, { iteration: step, reward, loss, seconds }] of progress.entries()) {
    const at = { step, wallTime: ends[i]! };
    scalars.push({ tag: 'train/reward', ...at, value: reward });
    if (loss !== undefined) scalars.push({ tag: 'train/loss', ...at, value: loss });
    for (const [stage, value] of seconds) scalars.push({ tag: `seconds/${stage}`, ...at, value });
  }
  for (const { iteration: step, policy, baselines } of evaluations) {
    const after = progress.findLastIndex((line) => line.iteration <= step);
    const at = { step, wallTime: after < 0 ? startSeconds : ends[after]! };
    scalars.push({ tag: 'evaluation/policy', ...at, value: policy.mean });
    scalars.push({ tag: 'evaluation/policy_low', ...at, value: policy.low });
    scalars.push({ tag: 'evaluation/policy_high', ...at, value: policy.high });
    for (const [name, { mean }] of baselines) scalars.push({ tag: `evaluation/${name}`, ...at, value: mean });
    const oracle = baselines.get('oracle');
    if (oracle !== undefined) scalars.push({ tag: 'evaluation/regret', ...at, value: oracle.mean - policy.mean });
  }
  return scalars;
}

function endTimes(progress: RunRecord['progress'], startSeconds: number): number[] {
  let time = startSeconds;
  let before = 0;
  return progress.map(({ iteration, seconds }) => {
    const each = [...seconds.values()].reduce((sum, value) => sum + value, 0);
    time += each * Math.max(0, iteration - before);
    before = iteration;
    return time;
  });
}
