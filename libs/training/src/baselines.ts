import type { ActionSpace } from '@a2sf/kv-compression';
import { grouped } from './grouped.js';

/** What every action earns on one prompt. */
export interface RewardRow {
  /** Reward of each action, in the order of the action space. */
  readonly rewards: readonly number[];
  /** Reward of the full cache. */
  readonly full: number;
  /** Reward of streaming-llm, the first keys and the last, with the same budget; absent where it was not tried. */
  readonly streaming_llm?: number;
  /** Name of the prompt's dataset; absent or empty when it has none. */
  readonly dataset?: string;
}

/** The names under which baselines are reported. */
export const baselineNames = [
  'full',
  'random',
  'streaming_llm',
  'h2o',
  'snapkv_16',
  'snapkv_32',
  'snapkv_64',
  'best_fixed',
  'best_fixed_train',
  'task_table',
  'oracle',
] as const;
export type BaselineName = (typeof baselineNames)[number];

/** The rewards of one way to choose, one per prompt. */
export interface Baseline {
  readonly rewards: readonly number[];
  /** The action, where the baseline always takes the same one. */
  readonly actionIndex?: number;
}

/** What a baseline is made of. */
interface Sources {
  /** The prompts that are evaluated. */
  readonly rows: readonly RewardRow[];
  /** Training prompts; empty where their rewards are not known. */
  readonly train: readonly RewardRow[];
  readonly space: ActionSpace;
}

/** The rewards of a baseline; undefined when the space does not hold its action, or it lacks rows to choose on. */
type BaselineRule = (sources: Sources) => Baseline | undefined;

function fixed(rows: readonly RewardRow[], actionIndex: number | undefined): Baseline | undefined {
  if (actionIndex === undefined || actionIndex < 0) return undefined;
  return { rewards: rows.map((row) => row.rewards[actionIndex]!), actionIndex };
}

/** A hard window over the last `b` queries. */
function snapkv(b: number): BaselineRule {
  return ({ rows, space }) => fixed(rows, space.indexOf(space.withLargestBudget({ a: 10, b })));
}

/**
 * One line per baseline, r[p][a] being the reward of action a on prompt p:
 * full: the full cache. random: mean over a of r[p][a], the expectation of a uniform choice. streaming_llm: the first keys
 * and the last ones, whatever their attention; absent where a row lacks it. h2o: a = 0, every query
 * weighs the same. snapkv_b: (10, b), a hard window over the last b queries. Both with the largest budget, where the space
 * has budgets. best_fixed: the action with the highest mean
 * over these very prompts (the lowest index on ties), the hardest fixed one. best_fixed_train: the action with the highest
 * mean over training prompts. task_table: for each dataset the action with the highest mean over its training prompts,
 * best_fixed_train's for a dataset without any. oracle: max over a of r[p][a].
 */
const rules: Record<BaselineName, BaselineRule> = {
  full: ({ rows }) => ({ rewards: rows.map((row) => row.full) }),
  random: ({ rows }) => ({ rewards: rows.map((row) => mean(row.rewards)) }),
  streaming_llm: ({ rows }) => {
    const rewards = rows.flatMap((row) => row.streaming_llm ?? []);
    return rewards.length === rows.length ? { rewards } : undefined;
  },
  h2o: ({ rows, space }) =>
    fixed(
      rows,
      space.actions().findIndex(({ a, budget }) => a === 0 && budget === space.budgets.at(-1)),
    ),
  snapkv_16: snapkv(16),
  snapkv_32: snapkv(32),
  snapkv_64: snapkv(64),
  best_fixed: ({ rows, space }) => fixed(rows, bestFixed(rows, space.size)),
  best_fixed_train: ({ rows, train, space }) =>
    train.length === 0 ? undefined : fixed(rows, bestFixed(train, space.size)),
  task_table: (sources) => (sources.train.length === 0 ? undefined : taskTable(sources)),
  oracle: ({ rows }) => ({ rewards: rows.map((row) => Math.max(...row.rewards)) }),
};

/**
 * The baselines that the action space allows, `train` being training prompts to choose on. Throws nothing; no rows give
 * empty lists.
 */
export function baselines(
  rows: readonly RewardRow[],
  space: ActionSpace,
  train: readonly RewardRow[] = [],
): Map<BaselineName, Baseline> {
  const found = new Map<BaselineName, Baseline>();
  for (const name of baselineNames) {
    const baseline = rules[name]({ rows, train, space });
    if (baseline !== undefined) found.set(name, baseline);
  }
  return found;
}

/** The arithmetic mean; of an empty list 0. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function taskTable({ rows, train, space }: Sources): Baseline {
  const otherwise = bestFixed(train, space.size);
  const table = new Map([...grouped(train, datasetOf)].map(([name, own]) => [name, bestFixed(own, space.size)]));
  return { rewards: rows.map((row) => row.rewards[table.get(datasetOf(row)) ?? otherwise]!) };
}

function datasetOf({ dataset }: RewardRow): string {
  return dataset ?? '';
}

function bestFixed(rows: readonly RewardRow[], actions: number): number {
  let best = 0;
  let bestSum = -1;
  for (let action = 0; action < actions; action++) {
    const sum = rows.reduce((total, row) => total + row.rewards[action]!, 0);
    if (sum > bestSum) [best, bestSum] = [action, sum];
  }
  return best;
}
