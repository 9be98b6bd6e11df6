import { calibration as calibrationOf } from '@a2sf/bandit';
import { axes, type Chart } from '../chart.js';
import { policyColour } from '../methods.js';
import type { RunRecord } from '../run-record.js';
import { short, type Point } from '../series.js';
import { line } from './learning-curve.js';

/**
 * What the policy expected of its greedy choices against what they earned: prompts in groups by the expected reward, the
 * means of both in each. On the diagonal the policy knows what it will get.
 */
export function calibration({ evaluations }: RunRecord): Chart | undefined {
  const last = evaluations.at(-1);
  const found = last?.predicted === undefined ? undefined : calibrationOf(last.predicted, last.rewards);
  if (found === undefined) return undefined;
  const points = found.groups.map(({ expected, earned }): [number, number] => [short(expected), short(earned)]);
  const count = points.length;
  const both = points.flat();
  const ends = [Math.min(0, ...both), Math.max(1, ...both)];
  const axis = { type: 'value', min: ends[0], max: ends[1], nameLocation: 'middle' };
  return {
    id: 'calibration',
    title: 'Calibration',
    caption: `Expected against earned reward of the greedy choices, last evaluation; ${count === 1 ? 'the mean of all prompts' : `${count} groups of prompts by what was expected`}.`,
    summary: `The mean distance from the diagonal is ${found.error.toFixed(3)}.`,
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
