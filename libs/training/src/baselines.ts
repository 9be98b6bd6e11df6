import type { ActionSpace } from '@a2sf/kv-compression';

/** What every action earns on one prompt. */
export interface RewardRow {
  /** Reward of each action, in the order of the action space. */
  readonly rewards: readonly number[];
  /** Reward of the full cache. */
  readonly full: number;
}

/** The names under which baselines are reported. */
export const baselineNames = ['full', 'random', 'h2o', 'snapkv_16', 'best_fixed', 'oracle'] as const;
export type BaselineName = (typeof baselineNames)[number];

/** The rewards of one way to choose, one per prompt. */
export interface Baseline {
  readonly rewards: readonly number[];
  /** The action, where the baseline always takes the same one. */
  readonly actionIndex?: number;
}

/** Picks the rewards of a baseline from the rows; undefined when the action space does not hold its action. */
type BaselineRule = (rows: readonly RewardRow[], space: ActionSpace) => Baseline | undefined;

function fixed(actionIndex: number | undefined): BaselineRule {
  return (rows) =>
    actionIndex === undefined || actionIndex < 0
      ? undefined
      : { rewards: rows.map((row) => row.rewards[actionIndex]!), actionIndex };
}

/**
 * One line per baseline, r[p][a] being the reward of action a on prompt p:
 * full: the full cache. random: mean over a of r[p][a], the expectation of a uniform choice. h2o: a = 0, every query
 * weighs the same. snapkv_16: (10, 16), a hard window over the last 16 queries. best_fixed: the action with the highest
 * mean over these very prompts (the lowest index on ties), the hardest fixed one. oracle: max over a of r[p][a].
 */
const rules: Record<BaselineName, BaselineRule> = {
  full: (rows) => ({ rewards: rows.map((row) => row.full) }),
  random: (rows) => ({ rewards: rows.map((row) => mean(row.rewards)) }),
  h2o: (rows, space) => fixed(space.actions().findIndex((action) => action.a === 0))(rows, space),
  snapkv_16: (rows, space) => fixed(space.indexOf({ a: 10, b: 16 }))(rows, space),
  best_fixed: (rows, space) => fixed(bestFixed(rows, space.size))(rows, space),
  oracle: (rows) => ({ rewards: rows.map((row) => Math.max(...row.rewards)) }),
};

/** The baselines that the action space allows. Throws nothing; no rows give empty lists. */
export function baselines(rows: readonly RewardRow[], space: ActionSpace): Map<BaselineName, Baseline> {
  const found = new Map<BaselineName, Baseline>();
  for (const name of baselineNames) {
    const baseline = rules[name](rows, space);
    if (baseline !== undefined) found.set(name, baseline);
  }
  return found;
}

/** The arithmetic mean; of an empty list 0. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
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
