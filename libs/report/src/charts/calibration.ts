import { axes, type Chart } from '../chart.js';
import { policyColour } from '../methods.js';
import type { RunRecord } from '../run-record.js';
import { short, type Point } from '../series.js';
import { line } from './learning-curve.js';

const groups = 10;
/** A mean of fewer says nothing. */
const leastInGroup = 5;

/**
 * What the policy expected of its greedy choices against what they earned: prompts in tenths by the expected reward, the
 * means of both in each. On the diagonal the policy knows what it will get.
 */
export function calibration({ evaluations }: RunRecord): Chart | undefined {
  const last = evaluations.at(-1);
  if (last?.predicted === undefined || last.rewards.length === 0) return undefined;
  const pairs = last.predicted.map((predicted, i): Point => [predicted, last.rewards[i]!]).sort(([x], [y]) => x - y);
  const count = Math.max(1, Math.min(groups, Math.floor(pairs.length / leastInGroup)));
  const points = Array.from({ length: count }, (_, g) => {
    const group = pairs.slice(Math.floor((g * pairs.length) / count), Math.floor(((g + 1) * pairs.length) / count));
    return [mean(group.map(([x]) => x)), mean(group.map(([, y]) => y))].map(short) as [number, number];
  });
  const both = points.flat();
  const ends = [Math.min(0, ...both), Math.max(1, ...both)];
  const error = mean(points.map(([expected, earned]) => Math.abs(expected - earned)));
  const axis = { type: 'value', min: ends[0], max: ends[1], nameLocation: 'middle' };
  return {
    id: 'calibration',
    title: 'Calibration',
    caption: `Expected against earned reward of the greedy choices, last evaluation; ${count === 1 ? 'the mean of all prompts' : `${count} groups of prompts by what was expected`}.`,
    summary: `The mean distance from the diagonal is ${error.toFixed(3)}.`,
    options: axes('', '', {
      grid: { left: 54, right: 18, top: 40, bottom: 48 },
      tooltip: { trigger: 'item', confine: true },
      xAxis: { ...axis, name: 'expected reward', nameGap: 26 },
      yAxis: { ...axis, name: 'earned reward', nameGap: 34 },
      series: [
        {
          ...line(
            'expected = earned',
            ends.map((end): Point => [end, end]),
            {
              colour: '#7d8590',
              width: 1.5,
              type: 'dashed',
            },
          ),
          silent: true,
        },
        { type: 'scatter', name: 'policy (greedy)', data: points, symbolSize: 9, itemStyle: { color: policyColour } },
      ],
    }),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
