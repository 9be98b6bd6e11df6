import { A2sfError } from '@a2sf/errors';

/** What was expected of some choices, and what they earned. */
export interface CalibrationGroup {
  /** Mean of the predictions. */
  readonly expected: number;
  /** Mean of the rewards. */
  readonly earned: number;
  readonly size: number;
}

/** How far predictions can be taken at their word. */
export interface Calibration {
  /** Ascending by what was expected; neighbours are of equal size, or one apart. */
  readonly groups: readonly CalibrationGroup[];
  /** sum_g n_g / n |expected_g - earned_g|: 0 where the policy knows, on average, what it will get. In 0..1. */
  readonly error: number;
}

const mostGroups = 10;
/** A mean of fewer says nothing. */
const leastInGroup = 5;

/**
 * Expected calibration error (Naeini, Cooper, Hauskrecht 2015) with groups of equal size: the pairs, sorted by what was
 * expected, in ten groups, or in so many that each holds five; in one where there are fewer than ten. Undefined for none.
 * Throws INVALID_ARGUMENT unless both hold as many finite numbers.
 */
export function calibration(expected: readonly number[], earned: readonly number[]): Calibration | undefined {
  if (expected.length !== earned.length) throw A2sfError.invalid('earned', `must hold ${expected.length} numbers`);
  if (![...expected, ...earned].every(Number.isFinite)) throw A2sfError.invalid('expected', 'must be finite numbers');
  const n = expected.length;
  if (n === 0) return undefined;
  const order = expected.map((_, i) => i).sort((i, j) => expected[i]! - expected[j]!);
  const count = Math.max(1, Math.min(mostGroups, Math.floor(n / leastInGroup)));
  const groups = Array.from({ length: count }, (_, g): CalibrationGroup => {
    const members = order.slice(Math.floor((g * n) / count), Math.floor(((g + 1) * n) / count));
    const mean = (values: readonly number[]): number =>
      members.reduce((sum, i) => sum + values[i]!, 0) / members.length;
    return { expected: mean(expected), earned: mean(earned), size: members.length };
  });
  const error = groups.reduce((sum, group) => sum + (group.size / n) * Math.abs(group.expected - group.earned), 0);
  return { groups, error };
}
