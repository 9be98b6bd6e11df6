import { ActionSpace, type Action } from '@a2sf/kv-compression';
import { actionAt, type EvaluationRecord, type RewardRecord, type RunRecord } from './run-record.js';

/** The reward rows of the prompts that do not fit the budget, and which of them an evaluation's lists speak of. */
export interface JoinedRewards {
  /** Undefined when config.json does not tell the actions. */
  readonly space: ActionSpace | undefined;
  /** Of one way to reward; in the order of the evaluation's lists when `joined`. */
  readonly rows: readonly RewardRecord[];
  /** True when entry i of the last evaluation's lists is the prompt of row i. */
  readonly joined: boolean;
}

/**
 * Finds the rows of the last evaluation. A run that was resumed with another budget or reward holds several rows of a
 * prompt, told apart by their key; those fit whose rewards are what the evaluation saw. Without any that fit, which is so
 * in runs that did not record the place of a prompt, the rows of the last key are taken as they are.
 */
export function joinRewards({ config, rewards, evaluations }: RunRecord): JoinedRewards {
  const space = spaceOf(config);
  const last = evaluations.at(-1);
  const keys = [...new Set(rewards.map((row) => row.key))].reverse();
  const rowsOf = (key: string) => sorted(rewards.filter((row) => row.key === key && !row.keptAll));
  for (const key of keys) {
    const rows = rowsOf(key);
    if (space !== undefined && last !== undefined && fits(rows, last, space)) return { space, rows, joined: true };
  }
  const rows = keys[0] === undefined ? [] : rowsOf(keys[0]);
  const sized = space === undefined ? [] : rows.filter((row) => row.rewards.length === space.size);
  return { space, rows: sized, joined: false };
}

/** The reward of every row under the way to choose that a baseline is; undefined when the rows do not tell it. */
export function rewardsOf(
  name: string,
  action: Action | undefined,
  { rows, space }: JoinedRewards,
): readonly number[] | undefined {
  if (action !== undefined) {
    const index = space?.indexOf(action);
    return index === undefined ? undefined : rows.map((row) => row.rewards[index]!);
  }
  switch (name) {
    case 'full':
      return rows.map((row) => row.full);
    case 'random':
      return rows.map((row) => row.rewards.reduce((sum, reward) => sum + reward, 0) / row.rewards.length);
    case 'oracle':
      return rows.map((row) => highest(row.rewards));
    default:
      return undefined;
  }
}

/** The largest of some numbers; -Infinity of none. */
export function highest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}

function spaceOf(config: RunRecord['config']): ActionSpace | undefined {
  const options = config['options'] as Readonly<Record<string, unknown>> | undefined;
  const values = [options?.['a_values'], options?.['b_values'], options?.['budgets'] ?? []];
  if (!values.every((list) => Array.isArray(list) && list.every((value) => typeof value === 'number')))
    return undefined;
  const [a, b, budgets] = values as [number[], number[], number[]];
  return new ActionSpace(a, b, budgets);
}

/** By place in the set, each once; rows without a place stay as they came. */
function sorted(rows: readonly RewardRecord[]): RewardRecord[] {
  if (rows.some((row) => row.index === undefined)) return [...rows];
  return [...new Map(rows.map((row) => [row.index!, row])).values()].sort((x, y) => x.index! - y.index!);
}

function fits(rows: readonly RewardRecord[], evaluation: EvaluationRecord, space: ActionSpace) {
  const { rewards } = evaluation;
  return (
    rows.length === rewards.length &&
    rows.every((row, i) => {
      const action = space.indexOf(actionAt(evaluation, i));
      return row.index !== undefined && row.rewards.length === space.size && row.rewards[action ?? -1] === rewards[i];
    })
  );
}
