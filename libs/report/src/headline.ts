import { bootstrapMean } from '@a2sf/bandit';
import { joinRewards, rewardsOf } from './joined-rewards.js';
import { methods } from './methods.js';
import { actionText, type Interval, type RunRecord } from './run-record.js';

/** A row of the table of results. */
export interface HeadlineRow {
  readonly label: string;
  readonly interval: Interval;
  /** policy - this method on the same prompts, with its 95 % interval; undefined when the records do not tell. */
  readonly difference: Interval | undefined;
}

/** Draws of all bootstraps together at most; large sets need fewer resamples for the same accuracy. */
const maxDraws = 20_000_000;

/**
 * The last evaluation: policy and baselines with their intervals, and their differences as
 * recorded, else by a paired bootstrap.
 */
export function headline(run: RunRecord): readonly HeadlineRow[] {
  const last = run.evaluations.at(-1);
  if (last === undefined) return [];
  const joined = joinRewards(run);
  const draws = maxDraws / (last.baselines.size + 1) / Math.max(1, last.rewards.length);
  const resamples = Math.max(200, Math.min(2000, Math.floor(draws)));
  return methods(['policy', ...last.baselines.keys()]).map(({ name, label }) => {
    if (name === 'policy') return { label, interval: last.policy, difference: undefined };
    const { action, ...interval } = last.baselines.get(name)!;
    const recorded = last.differences.get(name);
    const rewards = recorded === undefined && joined.joined ? rewardsOf(name, action, joined) : undefined;
    // H2O is told by its name, for its b has no effect.
    const shown = action === undefined || name === 'h2o' ? '' : ` (${actionText(action)})`;
    return {
      label: `${label}${shown}`,
      interval,
      difference:
        rewards === undefined || rewards.length === 0
          ? recorded
          : bootstrapMean(
              rewards.map((reward, i) => last.rewards[i]! - reward),
              { resamples },
            ),
    };
  });
}
