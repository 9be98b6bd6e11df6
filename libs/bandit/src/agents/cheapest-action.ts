import type { ActionSpace } from '@a2sf/kv-compression';
import { bonus } from './selection-rule.js';

/** What is known of the actions in one context, and what is asked of them. */
export interface FloorGrounds {
  readonly space: ActionSpace;
  /** Predicted rewards. */
  readonly predictions: Float64Array; // [A]
  /** How little is known of an action, >= 0; computed when it is asked for. */
  uncertainty(action: number): number;
  /** Weight of the uncertainty in the lower bound, >= 0. */
  readonly boundBeta: number;
  /** Least lower bound. */
  readonly floor: number;
}

/**
 * The cheapest action that is safe. With l_a = p_a - beta sqrt(u_a + 1e-6): of the smallest budget at which some l_a reaches
 * the floor, the action of the highest l_a, the lowest index on ties. Undefined where no l_a reaches it, and in a space
 * without budgets, where all actions cost the same.
 *
 * An uncertainty is most of the work, and l_a <= p_a: it is asked for only where p_a can still win.
 */
export function cheapestAction(grounds: FloorGrounds): number | undefined {
  const { space, predictions, boundBeta, floor } = grounds;
  const budgets = space.budgets.length;
  for (let budget = 0; budget < budgets; budget++) {
    const own = Array.from({ length: space.size / budgets }, (_, pair) => pair * budgets + budget)
      .filter((action) => predictions[action]! >= floor)
      .sort((x, y) => predictions[y]! - predictions[x]! || x - y);
    let best: number | undefined;
    let highest = floor;
    for (const action of own) {
      if (predictions[action]! < highest) break; // nor can any after it reach what is there
      const bound = predictions[action]! - boundBeta * bonus(grounds.uncertainty(action));
      if (bound < highest || (best !== undefined && bound === highest && action > best)) continue;
      [best, highest] = [action, bound];
    }
    if (best !== undefined) return best;
  }
  return undefined;
}
