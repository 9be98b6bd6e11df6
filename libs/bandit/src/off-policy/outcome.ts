import { A2sfError } from '@a2sf/errors';

/** A logged decision with its reward, and what the target policy, the one that is evaluated, says of its context. */
export interface LoggedOutcome {
  /** The action that was taken. */
  readonly actionIndex: number;
  /** Its reward r, in 0..1. */
  readonly reward: number;
  /** Probability p(a|x) with which the logging policy took it, in (0, 1]. */
  readonly propensity: number;
  /** pi(a|x) of the target policy; they add up to 1. */
  readonly target: ArrayLike<number>; // [A]
  /** q(x, a): rewards that a model predicts, of any quality. */
  readonly predictions: ArrayLike<number>; // [A]
  /** The rewards of all actions, in 0..1, where they were seen. */
  readonly rewards?: ArrayLike<number>; // [A]
}

/** An outcome in the few numbers that the estimators read. */
export interface WeighedOutcome {
  /** w = pi(a|x) / p(a|x) of the action that was taken. */
  readonly weight: number;
  /** r of the action that was taken. */
  readonly reward: number;
  /** q(x, a) of the action that was taken. */
  readonly predicted: number;
  /** sum_a pi(a|x) q(x, a). */
  readonly expected: number;
  /** sum_a pi(a|x) r_a, where the rewards of all actions were seen. */
  readonly exact?: number;
}

/** Below it a propensity is no probability of something that happened: weights of 1e15 carry no information. */
export const smallestPropensity = 1e-15;

/** How far from 1 the probabilities of a target may add up: those of Thompson sampling are integrals, 1e-6 an action. */
const tolerance = 1e-3;

/**
 * w = pi(a|x) / p(a|x) and the expectations under pi. `field` is the path of the outcome in errors. Throws INVALID_ARGUMENT
 * for a propensity that is missing, 0 or above 1, for rewards outside 0..1 and for what is no distribution over A actions.
 */
export function weigh(outcome: LoggedOutcome, field = 'outcome'): WeighedOutcome {
  const { actionIndex, reward, propensity, target, predictions, rewards } = outcome;
  if (!(propensity >= smallestPropensity && propensity <= 1)) {
    const problem = 'must be in (0, 1]: without it nothing can be said of another policy';
    throw A2sfError.invalid(`${field}.propensity`, `${problem}; got ${propensity}`);
  }
  const actions = target.length;
  if (!Number.isInteger(actionIndex) || actionIndex < 0 || actionIndex >= actions) {
    throw A2sfError.invalid(`${field}.action_index`, `must be in 0..${actions - 1}, got ${actionIndex}`);
  }
  requireReward(reward, `${field}.reward`);
  let total = 0;
  for (let a = 0; a < actions; a++) {
    if (!(target[a]! >= 0)) throw A2sfError.invalid(`${field}.target[${a}]`, `must be >= 0, got ${target[a]}`);
    total += target[a]!;
  }
  if (!(Math.abs(total - 1) <= tolerance)) throw A2sfError.invalid(`${field}.target`, `adds up to ${total}, not to 1`);
  if (rewards !== undefined) {
    for (let a = 0; a < rewards.length; a++) requireReward(rewards[a]!, `${field}.rewards[${a}]`);
  }
  return {
    weight: target[actionIndex]! / propensity,
    reward,
    predicted: predictions[actionIndex]!,
    expected: expectation(target, predictions, `${field}.predictions`),
    ...(rewards === undefined ? {} : { exact: expectation(target, rewards, `${field}.rewards`) }),
  };
}

/** sum_a pi_a v_a. */
function expectation(target: ArrayLike<number>, values: ArrayLike<number>, field: string): number {
  if (values.length !== target.length) {
    throw A2sfError.invalid(field, `must hold one number for each of ${target.length} actions, holds ${values.length}`);
  }
  let sum = 0;
  for (let a = 0; a < target.length; a++) sum += target[a]! * values[a]!;
  if (!Number.isFinite(sum)) throw A2sfError.invalid(field, 'must be finite numbers');
  return sum;
}

function requireReward(reward: number, field: string): void {
  if (!(reward >= 0 && reward <= 1)) throw A2sfError.invalid(field, `must be in 0..1, got ${reward}`);
}
