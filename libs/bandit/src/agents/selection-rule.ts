import type { Random } from '@a2sf/random';
import { argmax } from '../argmax.js';

/** What one choice rests on. */
export interface Grounds {
  readonly predictions: Float64Array; // [A]
  /** Zeros where beta is 0 or the rule reads none. */
  readonly uncertainties: Float64Array; // [A]
  /** Weight of exploration, >= 0. */
  readonly beta: number;
  /** Draws for this choice alone. */
  readonly random: Random;
}

/** An action and how it came to be. */
export interface Decision {
  readonly actionIndex: number;
  /** What was maximised. */
  readonly scores: Float64Array; // [A]
  /** Probability of any action under the rule, over the draws; of the chosen one it is above 0. */
  probability(actionIndex: number): number;
}

/** How an action is chosen. */
export interface SelectionRule {
  /** Whether the uncertainties of all actions are needed where beta is above 0. */
  readonly readsUncertainties: boolean;
  /** The predictions are not looked at: a quality floor does not move such a choice. */
  readonly isBlind?: true;
  decide(grounds: Grounds): Decision;
}

/** sqrt(u + 1e-6), the width of what is not known of a reward; the 1e-6 is the reference's. */
export function bonus(uncertainty: number): number {
  return Math.sqrt(uncertainty + 1e-6);
}

/** The decision for the largest score, the lowest index on ties, where nothing is drawn. */
export function certain(scores: Float64Array, actionIndex = argmax(scores)): Decision {
  return { actionIndex, scores, probability: (action) => (action === actionIndex ? 1 : 0) };
}

/** argmax_a p_a + beta sqrt(u_a + 1e-6). */
export const upperBoundRule: SelectionRule = {
  readsUncertainties: true,
  decide({ predictions, uncertainties, beta }) {
    if (beta === 0) return certain(predictions);
    return certain(predictions.map((p, a) => p + beta * bonus(uncertainties[a]!)));
  },
};

/** argmax_a p_a. */
export const greedyRule: SelectionRule = {
  readsUncertainties: false,
  decide: ({ predictions }) => certain(predictions),
};
