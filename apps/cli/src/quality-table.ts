import type { BaselineName, EvaluationLine } from '@a2sf/training';
import { alignedTable } from './text-table.js';

/** The ways to choose that are shown, of which those are left out that nothing was found for. */
const columns: readonly (readonly [name: BaselineName | 'policy', label: string])[] = [
  ['full', 'full'],
  ['policy', 'policy'],
  ['random', 'random'],
  ['streaming_llm', 'streaming-llm'],
  ['h2o', 'h2o'],
  ['snapkv_16', 'snapkv 16'],
  ['snapkv_32', 'snapkv 32'],
  ['snapkv_64', 'snapkv 64'],
  ['best_fixed', 'best fixed'],
  ['oracle', 'oracle'],
];

/** Mean scores of one budget, 0 to 100 as LongBench tells them: one row per dataset, and one of all prompts. */
export function qualityTable({
  eval_avg_reward: mean,
  eval_rewards,
  baselines,
  datasets = {},
}: EvaluationLine): string {
  const shown = columns.filter(([name]) => name === 'policy' || baselines[name] !== undefined);
  const row = (label: string, prompts: number, policy: number, of: EvaluationLine['baselines']): string[] => [
    label,
    `${prompts}`,
    ...shown.map(([name]) => score(name === 'policy' ? policy : of[name]?.mean)),
  ];
  const names = Object.keys(datasets).sort();
  const rows = names.map((name) => {
    const { prompts, mean, baselines } = datasets[name]!;
    return row(name === '' ? '(no dataset)' : name, prompts, mean, baselines);
  });
  const all = row('all', eval_rewards.length, mean, baselines);
  return alignedTable([['', 'prompts', ...shown.map(([, label]) => label)], ...rows, all]);
}

/** One row per budget, over all prompts: the curve of quality by budget. */
export function budgetTable(lines: readonly (readonly [budget: number, line: EvaluationLine])[]): string {
  const shown = columns.filter(([name]) => name === 'policy' || lines.some(([, line]) => line.baselines[name]));
  const rows = lines.map(([budget, line]) => [
    `${budget}`,
    `${line.eval_rewards.length}`,
    ...shown.map(([name]) => score(name === 'policy' ? line.eval_avg_reward : line.baselines[name]?.mean)),
  ]);
  return alignedTable([['budget', 'prompts', ...shown.map(([, label]) => label)], ...rows]);
}

function score(mean: number | undefined): string {
  return mean === undefined ? '-' : (100 * mean).toFixed(1);
}
