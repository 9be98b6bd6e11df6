import type { MeanInterval } from '@a2sf/bandit';
import type { BaselineName } from './baselines.js';
import type { BaselineInterval, ByBaseline, EvaluationLine } from './evaluation.js';

/** The rows of the table, best first as a rule. */
const rows: readonly { readonly key: BaselineName | 'policy'; readonly label: string }[] = [
  { key: 'policy', label: 'policy (greedy)' },
  { key: 'oracle', label: 'oracle' },
  { key: 'best_fixed', label: 'best fixed action' },
  { key: 'best_fixed_train', label: 'best fixed on train' },
  { key: 'task_table', label: 'task table of train' },
  { key: 'snapkv_16', label: 'SnapKV' },
  { key: 'snapkv_32', label: 'SnapKV' },
  { key: 'snapkv_64', label: 'SnapKV' },
  { key: 'h2o', label: 'H2O' },
  { key: 'streaming_llm', label: 'streaming-llm' },
  { key: 'random', label: 'random' },
  { key: 'full', label: 'full cache' },
];

/** An evaluation as aligned text: one row per way to choose, mean reward and 95 % interval, and what the numbers are. */
export function resultsTable(line: EvaluationLine, rewardDescription: string): string {
  const policy = { mean: line.eval_avg_reward, low: line.eval_low, high: line.eval_high };
  const { differences = {} } = line;
  const hasDifferences = Object.keys(differences).length > 0;
  const cells = rows.flatMap(({ key, label }) => {
    const interval: BaselineInterval | undefined = key === 'policy' ? policy : line.baselines[key];
    return interval === undefined
      ? []
      : [[label + actionOf(key, interval), ...numbersOf(interval), ...pairOf(differences, key)]];
  });
  const head = ['', 'reward', '95 % interval', ...(hasDifferences ? ['policy - it', 'paired 95 %'] : [])];
  const aligned = align([head, ...cells]);
  const left = line.kept_all === 0 ? '' : `; ${line.kept_all} more fit the budget and are left out`;
  return [
    `evaluation after iteration ${line.iteration}: ${line.eval_rewards.length} prompts${left}`,
    `reward: ${rewardDescription}`,
    ...costsOf(line),
    '',
    ...aligned,
    ...datasetTable(line),
  ].join('\n');
}

/** What the policy earns before the price of its keys, and how many it keeps, where either is told. */
function costsOf({ eval_avg_gross_reward: gross, eval_avg_kept_share: share }: EvaluationLine): string[] {
  const parts = [
    ...(gross === undefined ? [] : [`${gross.toFixed(3)} before the price of its keys`]),
    ...(share === undefined ? [] : [`${(100 * share).toFixed(1)} % of the keys kept`]),
  ];
  return parts.length === 0 ? [] : [`policy: ${parts.join(', ')}`];
}

/** One row per dataset, where there are several: the policy beside the baselines that know most. */
function datasetTable({ datasets = {} }: EvaluationLine): string[] {
  const names = Object.keys(datasets).sort();
  if (names.length < 2) return [];
  const beside = (['oracle', 'task_table', 'best_fixed'] as const).filter((key) =>
    names.some((name) => datasets[name]!.baselines[key] !== undefined),
  );
  const cells = names.map((name) => {
    const { prompts, baselines, ...policy } = datasets[name]!;
    return [name, ...numbersOf(policy), `${prompts}`, ...beside.map((key) => baselines[key]?.mean.toFixed(3) ?? '-')];
  });
  const head = ['dataset', 'policy', '95 % interval', 'prompts', ...beside.map((key) => key.replaceAll('_', ' '))];
  return ['', ...align([head, ...cells])];
}

/** Columns of equal width: the first flush left, numbers flush right. */
function align(table: readonly (readonly string[])[]): string[] {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => (row[column] ?? '').length)));
  return table.map((row) => {
    const cells = widths.map((width, column) => {
      const cell = row[column] ?? '';
      return column === 0 || column === 2 ? cell.padEnd(width) : cell.padStart(width);
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

/** How far the policy is above a baseline, prompt by prompt. */
function pairOf(differences: ByBaseline<MeanInterval>, key: string): string[] {
  const found = (differences as Readonly<Record<string, MeanInterval | undefined>>)[key];
  if (found === undefined) return [];
  const sign = (value: number) => (value < 0 ? '' : '+') + value.toFixed(3);
  return [sign(found.mean), `${sign(found.low)} .. ${sign(found.high)}`];
}

/** The action of a fixed choice; H2O's is told by its name, for its b has no effect. */
function actionOf(key: string, { a, b, budget }: BaselineInterval): string {
  const shape = a === undefined || b === undefined || key === 'h2o' ? [] : [`a=${a}`, `b=${b}`];
  const parts = [...shape, ...(budget === undefined ? [] : [`budget ${budget}`])];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function numbersOf({ mean, low, high }: MeanInterval): [string, string] {
  return [mean.toFixed(3), `${low.toFixed(3)} .. ${high.toFixed(3)}`];
}
