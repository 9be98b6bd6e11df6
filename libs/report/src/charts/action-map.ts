import type { Chart } from '../chart.js';
import { joinRewards, type JoinedRewards } from '../joined-rewards.js';
import type { RewardRecord, RunRecord } from '../run-record.js';
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
    slices.push(slice('all evaluation prompts', numbered, run, joined));
    const groups = [
      ...grouped(numbered, ({ row }) => (row.dataset ? `dataset ${row.dataset}` : '')),
      ...grouped(numbered, ({ row }) => lengthBucket(row.promptTokens)),
    ];
    const largest = [...groups].sort(([, x], [, y]) => y.length - x.length).slice(0, maxSlices);
    for (const group of groups) if (largest.includes(group)) slices.push(slice(...group, run, joined));
  }
  const tried = training(run, joined);
  if (tried !== undefined) slices.push(tried);
  if (slices.length === 0) return undefined;
  const best = slices[0]!.reward === undefined ? '' : bestOf(slices[0]!.reward, joined);
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

function slice(label: string, part: readonly Numbered[], run: RunRecord, { space, joined }: JoinedRewards): Slice {
  const last = run.evaluations.at(-1);
  const size = space!.size;
  const reward = Array.from({ length: size }, (_, action) =>
    short(part.reduce((sum, { row }) => sum + row.rewards[action]!, 0) / part.length),
  );
  if (!joined || last === undefined) return { label, prompts: part.length, reward };
  const actions = part.map(({ i }) => space!.indexOf({ a: last.actionsA[i]!, b: last.actionsB[i]! }));
  return { label, prompts: part.length, reward, chosen: shares(actions, size) };
}

function training({ progress }: RunRecord, { space }: JoinedRewards): Slice | undefined {
  const actions = progress.flatMap(({ actionsA, actionsB }) =>
    actionsA.map((a, i) => space!.indexOf({ a, b: actionsB[i] ?? -1 })),
  );
  if (actions.length === 0) return undefined;
  return { label: 'episodes of training', prompts: actions.length, chosen: shares(actions, space!.size) };
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

function bestOf(reward: readonly number[], { space }: JoinedRewards): string {
  const index = reward.reduce((best, value, i) => (value > reward[best]! ? i : best), 0);
  const { a, b } = space!.at(index);
  return `Over all evaluation prompts a = ${a}, b = ${b} earns most, ${reward[index]!.toFixed(3)} on average.`;
}
