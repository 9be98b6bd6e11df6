import type { ActionSpace } from '@a2sf/kv-compression';
import type { Chart } from '../chart.js';
import { joinRewards, type JoinedRewards } from '../joined-rewards.js';
import { actionAt, actionText, type RewardRecord, type RunRecord } from '../run-record.js';
import { short } from '../series.js';

/** Slices that are shown beside the whole set; the smallest datasets give way. */
const maxSlices = 40;

/** A part of the evaluation prompts, or the episodes of training. */
interface Slice {
  readonly label: string;
  readonly prompts: number;
  /** Mean reward by action index; absent for training. */
  readonly reward?: readonly number[];
  /** Share of the prompts on which the policy takes the action; absent when the records do not tell. */
  readonly chosen?: readonly number[];
}

/** A heat map over (a, b) of which the reader chooses the part of the prompts and what is shown. */
export interface ActionMap extends Chart {
  readonly slices: readonly Slice[];
}

/** What every action earns, and how often the policy takes it: over all prompts, by dataset, by prompt length. */
export function actionMap(run: RunRecord): ActionMap | undefined {
  const joined = joinRewards(run);
  const { space, rows } = joined;
  if (space === undefined) return undefined;
  const slices: Slice[] = [];
  if (rows.length > 0) {
    const numbered = rows.map((row, i) => ({ row, i }));
    slices.push(...slice('all evaluation prompts', numbered, run, joined));
    const groups = [
      ...grouped(numbered, ({ row }) => (row.dataset ? `dataset ${row.dataset}` : '')),
      ...grouped(numbered, ({ row }) => lengthBucket(row.promptTokens)),
    ];
    const largest = [...groups].sort(([, x], [, y]) => y.length - x.length).slice(0, maxSlices);
    for (const group of groups) if (largest.includes(group)) slices.push(...slice(...group, run, joined));
  }
  slices.push(...training(run, joined));
  if (slices.length === 0) return undefined;
  const best = rows.length === 0 ? '' : bestOf(rewardsOf(rows, space.size), space);
  const { aValues, bValues } = space;
  const axis = (name: string, data: readonly number[], nameGap: number) => ({
    type: 'category',
    name,
    nameLocation: 'middle',
    nameGap,
    data: data.map(String),
    splitArea: { show: false },
  });
  return {
    id: 'action-map',
    title: 'Action map',
    caption:
      'Window steepness a by offset b. Mean reward: what each action earns on average over the prompts of the part. Choices: the share of them on which the greedy policy of the last evaluation takes it; for training, of the logged episodes.',
    summary: best,
    slices,
    height: 400,
    options: {
      animation: false,
      grid: { left: 64, right: 12, top: 12, bottom: 104 },
      tooltip: { trigger: 'item', confine: true },
      xAxis: axis('b (offset, tokens)', bValues, 28),
      yAxis: axis('a (steepness)', aValues, 44),
      visualMap: { orient: 'horizontal', left: 'center', bottom: 0, calculable: true, min: 0, max: 1, precision: 3 },
      series: [{ type: 'heatmap', data: [], emphasis: { itemStyle: { borderColor: '#000', borderWidth: 1 } } }],
    },
  };
}

interface Numbered {
  readonly row: RewardRecord;
  /** Place in the evaluation's lists. */
  readonly i: number;
}

function slice(label: string, part: readonly Numbered[], run: RunRecord, { space, joined }: JoinedRewards): Slice[] {
  const last = run.evaluations.at(-1);
  const reward = rewardsOf(
    part.map(({ row }) => row),
    space!.size,
  );
  const whole = { label, prompts: part.length, reward };
  if (!joined || last === undefined) return byBudget(whole, space!);
  const actions = part.map(({ i }) => space!.indexOf(actionAt(last, i)));
  return byBudget({ ...whole, chosen: shares(actions, space!.size) }, space!);
}

function training({ progress }: RunRecord, { space }: JoinedRewards): Slice[] {
  const actions = progress.flatMap((line) => line.actionsA.map((_, i) => space!.indexOf(actionAt(line, i))));
  if (actions.length === 0) return [];
  const chosen = shares(actions, space!.size);
  return byBudget({ label: 'episodes of training', prompts: actions.length, chosen }, space!);
}

/** Mean reward of each action. */
function rewardsOf(rows: readonly RewardRecord[], size: number): number[] {
  return Array.from({ length: size }, (_, action) =>
    short(rows.reduce((sum, row) => sum + row.rewards[action]!, 0) / rows.length),
  );
}

/** A part as one map for each budget, where the actions name some: shares are of all the part's choices. */
function byBudget({ label, prompts, reward, chosen }: Slice, { budgets }: ActionSpace): Slice[] {
  if (budgets.length === 0) return [{ label, prompts, ...(reward && { reward }), ...(chosen && { chosen }) }];
  return budgets.map((budget, k) => {
    const own = (values: readonly number[]) => values.filter((_, action) => action % budgets.length === k);
    return {
      label: `${label}, budget ${budget}`,
      prompts,
      ...(reward && { reward: own(reward) }),
      ...(chosen && { chosen: own(chosen) }),
    };
  });
}

function shares(actions: readonly (number | undefined)[], size: number): number[] {
  const counts = Array.from({ length: size }, () => 0);
  for (const action of actions) if (action !== undefined) counts[action]!++;
  return counts.map((count) => short(count / actions.length));
}

/** Items by label, labels in natural order; those with an empty one are left out. */
function grouped(items: readonly Numbered[], labelOf: (item: Numbered) => string): [string, Numbered[]][] {
  const groups = new Map<string, Numbered[]>();
  for (const item of items) {
    const label = labelOf(item);
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [item]);
    else group.push(item);
  }
  groups.delete('');
  return [...groups].sort(([x], [y]) => x.localeCompare(y, 'en', { numeric: true }));
}

/** A bucket reaches from a power of two up to the next. */
function lengthBucket(tokens: number): string {
  if (tokens < 1) return 'prompts of 0 tokens';
  const from = 2 ** Math.floor(Math.log2(tokens));
  return `prompts of ${from} to ${2 * from - 1} tokens`;
}

function bestOf(reward: readonly number[], space: ActionSpace): string {
  const index = reward.reduce((best, value, i) => (value > reward[best]! ? i : best), 0);
  return `Over all evaluation prompts ${actionText(space.at(index))} earns most, ${reward[index]!.toFixed(3)} on average.`;
}
