import { A2sfError } from '@a2sf/errors';
import { validateLength } from './window.js';

/** How many keys survive per layer and KV head. */
export interface Budget {
  /** Keys kept in all, in tokens; at least 1. */
  readonly budget: number;
  /** The last positions among them that are kept unconditionally; absent or 0 means the default rule. */
  readonly recent?: number | undefined;
}

/** A budget with its defaults filled in, for one prompt. */
export interface ResolvedBudget {
  readonly budget: number;
  readonly recent: number;
  /** Keys that are kept of this prompt: min(n, budget). */
  readonly kept: number;
  /** True when the prompt fits the budget (n <= budget): nothing is thrown away, whatever the action. */
  readonly keepsAll: boolean;
}

/** recent = int(budget * 0.125), the seed's rule; 0 for a budget below 8. */
export function defaultRecent(budget: number): number {
  return Math.floor(budget / 8);
}

/**
 * Checks a budget and fills in `recent` for a prompt of n tokens. Throws INVALID_ARGUMENT for a budget of 0 or a budget
 * below `recent`; `path` is put before the names in the message (`compression.`).
 */
export function resolveBudget(request: Budget, n: number, path = ''): ResolvedBudget {
  validateLength(n);
  const { budget } = request;
  if (!Number.isSafeInteger(budget) || budget < 1) {
    throw A2sfError.invalid(`${path}budget`, `must be a whole number of at least 1, got ${budget}`);
  }
  const asked = request.recent ?? 0;
  if (!Number.isSafeInteger(asked) || asked < 0 || asked > budget) {
    throw A2sfError.invalid(`${path}recent`, `must be a whole number in 0..${budget} (the budget), got ${asked}`);
  }
  return {
    budget,
    recent: asked === 0 ? defaultRecent(budget) : asked,
    kept: Math.min(n, budget),
    keepsAll: n <= budget,
  };
}
