import { axes, type Chart } from '../chart.js';
import { highest, joinRewards, rewardsOf } from '../joined-rewards.js';
import { methods } from '../methods.js';
import type { RunRecord } from '../run-record.js';
import { short } from '../series.js';

const bins = 10;
/** Shown from the start; the others are a touch on the legend away. */
const shownFirst: readonly string[] = ['policy', 'best_fixed', 'oracle'];

/** How the prompts' rewards are spread: the share of prompts in each tenth of the range, one bar per method. */
export function rewardDistribution(run: RunRecord): Chart | undefined {
  const last = run.evaluations.at(-1);
  if (last === undefined || last.rewards.length === 0) return undefined;
  const joined = joinRewards(run);
  const rewards = new Map([['policy', last.rewards]]);
  for (const [name, { action }] of last.baselines) {
    const row = rewardsOf(name, action, joined);
    if (row !== undefined && row.length > 0) rewards.set(name, row);
  }
  const all = [...rewards.values()].flat();
  const low = Math.min(0, -highest(all.map((value) => -value)));
  const width = (Math.max(1, highest(all)) - low) / bins;
  const shown = methods(rewards.keys());
  const edges = Array.from({ length: bins }, (_, i) => [low + i * width, low + (i + 1) * width]);
  const series = shown.map(({ name, label, colour }) => ({
    type: 'bar',
    name: label,
    barGap: '0%',
    itemStyle: { color: colour },
    data: histogram(rewards.get(name)!, low, width).map(short),
  }));
  const selected = Object.fromEntries(shown.map(({ name, label }) => [label, shownFirst.includes(name)]));
  const top = histogram(last.rewards, low, width).at(-1)!;
  return {
    id: 'reward-distribution',
    title: 'Reward distribution',
    caption: 'Share of the evaluation prompts by reward, last evaluation. Methods are shown and hidden in the legend.',
    summary: `${(100 * top).toFixed(0)} % of the prompts earn the policy at least ${edges.at(-1)![0]!.toFixed(2)}.`,
    options: axes('reward', 'share of prompts', {
      legend: { type: 'scroll', top: 0, left: 0, selected },
      xAxis: {
        type: 'category',
        name: 'reward',
        nameLocation: 'middle',
        nameGap: 26,
        data: edges.map(([from, to]) => `${from!.toFixed(1)}–${to!.toFixed(1)}`),
      },
      yAxis: { type: 'value', name: 'share of prompts', nameTextStyle: { align: 'left' } },
      series,
    }),
  };
}

/** Share of the values in each bin; the last one holds its upper end. */
export function histogram(values: readonly number[], low: number, width: number): number[] {
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of values) counts[Math.min(bins - 1, Math.max(0, Math.floor((value - low) / width)))]!++;
  return counts.map((count) => count / values.length);
}
