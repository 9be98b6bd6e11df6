import type { Action } from '@a2sf/kv-compression';
import { highest, joinRewards } from './joined-rewards.js';
import { actionAt, type RewardRecord, type RunRecord, type TextRecord } from './run-record.js';

/** A prompt on which the policy left much on the table. */
export interface WorstPrompt {
  readonly row: RewardRecord;
  /** Place of the prompt in the evaluation set. */
  readonly index: number;
  /** What the policy took, what would have been best, and what they earn. */
  readonly taken: Action & { readonly reward: number };
  readonly best: Action & { readonly reward: number };
  /** What the caches wrote under the taken action, where it was recorded. */
  readonly texts: TextRecord | undefined;
}

/**
 * The prompts of the largest regret in the last evaluation, the worst first; those on which nothing was better are left
 * out. Empty when the records do not tell them.
 */
export function worstPrompts(run: RunRecord, count: number): WorstPrompt[] {
  const last = run.evaluations.at(-1);
  const { rows, space, joined } = joinRewards(run);
  if (!joined || last === undefined || space === undefined) return [];
  return rows
    .map((row, i): WorstPrompt => {
      const reward = highest(row.rewards);
      const taken = actionAt(last, i);
      return {
        row,
        index: row.index!,
        taken: { ...taken, reward: last.rewards[i]! },
        best: { ...space.at(row.rewards.indexOf(reward)), reward },
        texts: run.texts.find(
          ({ key, hash, a, b, budget }) =>
            key === row.key && hash === row.hash && a === taken.a && b === taken.b && budget === taken.budget,
        ),
      };
    })
    .filter(({ best, taken }) => best.reward > taken.reward)
    .sort((x, y) => y.best.reward - y.taken.reward - (x.best.reward - x.taken.reward))
    .slice(0, count);
}
