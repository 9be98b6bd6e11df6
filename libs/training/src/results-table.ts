import type { BaselineName } from './baselines.js';
import type { BaselineInterval, EvaluationLine } from './evaluation.js';

/** The rows of the table, best first as a rule. */
const rows: readonly { readonly key: BaselineName | 'policy'; readonly label: string }[] = [
  { key: 'policy', label: 'policy (greedy)' },
  { key: 'oracle', label: 'oracle' },
  { key: 'best_fixed', label: 'best fixed action' },
  { key: 'snapkv_16', label: 'SnapKV' },
  { key: 'h2o', label: 'H2O' },
  { key: 'random', label: 'random' },
  { key: 'full', label: 'full cache' },
];

/** An evaluation as aligned text: one row per way to choose, mean reward and 95 % interval, and what the numbers are. */
export function resultsTable(line: EvaluationLine, rewardDescription: string): string {
  const policy = { mean: line.eval_avg_reward, low: line.eval_low, high: line.eval_high };
  const cells = rows.flatMap(({ key, label }) => {
    const interval: BaselineInterval | undefined = key === 'policy' ? policy : line.baselines[key];
    return interval === undefined ? [] : [[label + actionOf(key, interval), ...numbersOf(interval)]];
  });
  const table = [['', 'reward', '95 % interval'], ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  const aligned = table.map(([label, mean, interval]) =>
    `  ${label!.padEnd(widths[0]!)}  ${mean!.padStart(widths[1]!)}  ${interval!.padEnd(widths[2]!)}`.trimEnd(),
  );
  const left = line.kept_all === 0 ? '' : `; ${line.kept_all} more fit the budget and are left out`;
  return [
    `evaluation after iteration ${line.iteration}: ${line.eval_rewards.length} prompts${left}`,
    `reward: ${rewardDescription}`,
    '',
    ...aligned,
  ].join('\n');
}

/** The action of a fixed choice; H2O's is told by its name, for its b has no effect. */
function actionOf(key: string, { a, b }: BaselineInterval): string {
  return a === undefined || b === undefined || key === 'h2o' ? '' : ` (a=${a}, b=${b})`;
}

function numbersOf({ mean, low, high }: BaselineInterval): [string, string] {
  return [mean.toFixed(3), `${low.toFixed(3)} .. ${high.toFixed(3)}`];
}
