import { axes, type Chart } from '../chart.js';
import { joinRewards, rewardsOf } from '../joined-rewards.js';
import { policyColour } from '../methods.js';
import type { RunRecord } from '../run-record.js';
import type { Point } from '../series.js';
import { band, line, reduced } from './learning-curve.js';

/**
 * regret_t = mean over prompts p of max_a r[p][a] - r[p][policy_t(p)]: what the greedy policy leaves on the table. Its
 * interval is that of a mean, 1.96 s / sqrt(n), s being the standard deviation of the n differences.
 */
export function regretChart(run: RunRecord): Chart | undefined {
  const lines = run.evaluations.filter(({ baselines }) => baselines.has('oracle'));
  const last = lines.at(-1);
  if (last === undefined) return undefined;
  const joined = joinRewards(run);
  const oracle = joined.joined ? rewardsOf('oracle', undefined, joined)! : undefined;
  const points = lines.map(({ iteration, policy, baselines, rewards }) => {
    const regret = baselines.get('oracle')!.mean - policy.mean;
    const paired = oracle !== undefined && oracle.length === rewards.length;
    return { iteration, regret, half: paired ? halfWidth(oracle.map((best, i) => best - rewards[i]!)) : 0 };
  });
  const of = (value: (point: (typeof points)[number]) => number) =>
    reduced(points.map((point): Point => [point.iteration, value(point)]));
  const fixed = last.baselines.get('best_fixed');
  const reference = last.baselines.get('oracle')!.mean - (fixed?.mean ?? 0);
  const series = [
    ...(oracle === undefined
      ? []
      : band(
          of(({ regret, half }) => regret - half),
          of(({ regret, half }) => regret + half),
          policyColour,
        )),
    ...(fixed === undefined
      ? []
      : [
          line(
            'best fixed action',
            of(() => reference),
            { colour: '#d0660a', width: 1.5, type: 'dashed' },
          ),
        ]),
    line(
      'policy (greedy)',
      of(({ regret }) => regret),
      { colour: policyColour, width: 2.5, symbols: true },
    ),
  ];
  return {
    id: 'regret',
    title: 'Regret',
    caption: `What the greedy policy earns less than the oracle, the best action of every prompt.${oracle === undefined ? '' : ' The band is the 95 % interval of the mean difference.'}`,
    summary: `The regret goes from ${points[0]!.regret.toFixed(3)} to ${points.at(-1)!.regret.toFixed(3)}.`,
    options: axes('iteration', 'oracle − policy', { series }),
  };
}

function halfWidth(values: readonly number[]): number {
  const n = values.length;
  if (n < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return 1.96 * Math.sqrt(variance / n);
}
