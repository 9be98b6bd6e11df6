import { A2sfError } from '@a2sf/errors';

/**
 * The shape of a sigmoid window over query positions: steepness `a` >= 0 and offset `b` >= 1 (tokens from the end); and the
 * keys that are kept per layer and KV head, where the action and not the request decides that.
 */
export interface Action {
  readonly a: number;
  readonly b: number;
  readonly budget?: number;
}

const maxOffset = 2 ** 32 - 1;

/** Largest budget of an action: far above any context, and what the flags take. */
export const maxActionBudget = 1 << 20;

/**
 * Throws INVALID_ARGUMENT unless `a` is finite and at least 0, `b` a whole number in 1..2^32-1 and `budget`, where there is
 * one, a whole number in 1..2^20; `field` is the path to name.
 */
export function validateAction(action: Action, field = 'action'): void {
  validateSteepness(action.a, `${field}.a`);
  validateOffset(action.b, `${field}.b`);
  if (action.budget !== undefined) validateBudget(action.budget, `${field}.budget`);
}

/**
 * The actions a policy chooses from: every pair of `aValues` x `bValues`, index = a_index * len(b_values) + b_index; with
 * `budgets` every triple, index = (a_index * len(b_values) + b_index) * len(budgets) + budget_index. Without budgets an
 * action names none: one budget, told elsewhere, holds for all.
 *
 * Steepness is held at float32 precision, spelled as the shortest decimal of that float32, because checkpoints store it
 * so: a space read back from a file is then the space that was written.
 */
export class ActionSpace {
  /** The seed's space: 5 steepness values x 12 offsets = 60 actions. */
  static readonly default = new ActionSpace(
    [0, 0.001, 0.01, 0.1, 10],
    [1, 2, 4, 8, 16, 32, 64, 128, 512, 1024, 4096, 8192],
  );

  readonly aValues: readonly number[];
  readonly bValues: readonly number[];
  /** Ascending; empty: the budget is no part of an action. */
  readonly budgets: readonly number[];

  /**
   * Throws INVALID_ARGUMENT for an empty list of `aValues` or `bValues`, a value out of range, one that is listed twice, or
   * budgets that do not ascend.
   */
  constructor(aValues: Iterable<number>, bValues: Iterable<number>, budgets: Iterable<number> = []) {
    this.aValues = Array.from(aValues, (a, i) => {
      validateSteepness(a, `a_values[${i}]`);
      return shortestFloat32(a);
    });
    this.bValues = Array.from(bValues, (b, i) => {
      validateOffset(b, `b_values[${i}]`);
      return b;
    });
    validateList(this.aValues, 'a_values');
    validateList(this.bValues, 'b_values');
    this.budgets = Array.from(budgets, (budget, i) => {
      validateBudget(budget, `budgets[${i}]`);
      return budget;
    });
    this.budgets.forEach((budget, i) => {
      const before = this.budgets[i - 1] ?? 0;
      if (budget <= before) throw A2sfError.invalid('budgets', `must ascend, got ${budget} behind ${before}`);
    });
  }

  /** Number of actions. */
  get size(): number {
    return this.aValues.length * this.bValues.length * Math.max(1, this.budgets.length);
  }

  /** Index of what is taken where nothing is known: (10, 16) with the largest budget, or 0 where the space lacks it. */
  get fallback(): number {
    return this.indexOf(this.withLargestBudget({ a: 10, b: 16 })) ?? 0;
  }

  /** The action of an index. Throws INVALID_ARGUMENT naming `field` when the index is not in 0..size-1. */
  at(index: number, field = 'action_index'): Action {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) {
      throw A2sfError.invalid(field, `must be a whole number in 0..${this.size - 1}, got ${index}`);
    }
    const bCount = this.bValues.length;
    const pair = Math.floor(index / Math.max(1, this.budgets.length));
    const action = { a: this.aValues[Math.floor(pair / bCount)]!, b: this.bValues[pair % bCount]! };
    return this.budgets.length === 0 ? action : { ...action, budget: this.budgets[index % this.budgets.length]! };
  }

  /** An action as this space spells it when the budget is to be the largest: unchanged where the space has no budgets. */
  withLargestBudget({ a, b }: Action): Action {
    const budget = this.budgets.at(-1);
    return budget === undefined ? { a, b } : { a, b, budget };
  }

  /**
   * The index of an action, or undefined when it is not a point of the space; steepness is compared as float32. An action
   * with a budget is no point of a space without, nor the other way round.
   */
  indexOf(action: Action): number | undefined {
    const a = Math.fround(action.a);
    const aIndex = this.aValues.findIndex((value) => Math.fround(value) === a);
    const bIndex = this.bValues.indexOf(action.b);
    if (aIndex < 0 || bIndex < 0) return undefined;
    const pair = aIndex * this.bValues.length + bIndex;
    if (this.budgets.length === 0) return action.budget === undefined ? pair : undefined;
    const budgetIndex = action.budget === undefined ? -1 : this.budgets.indexOf(action.budget);
    return budgetIndex < 0 ? undefined : pair * this.budgets.length + budgetIndex;
  }

  /** All actions in index order. */
  actions(): Action[] {
    return Array.from({ length: this.size }, (_, index) => this.at(index));
  }

  /** True when both spaces hold the same actions under the same indices. */
  equals(other: ActionSpace): boolean {
    const same = (x: readonly number[], y: readonly number[]) => x.length === y.length && x.every((v, i) => v === y[i]);
    return same(this.aValues, other.aValues) && same(this.bValues, other.bValues) && same(this.budgets, other.budgets);
  }

  /** The space for people: `a in {0, 10} and b in {1, 16}`. */
  toString(): string {
    const lists = [`a in {${this.aValues.join(', ')}}`, `b in {${this.bValues.join(', ')}}`];
    if (this.budgets.length > 0) lists.push(`budget in {${this.budgets.join(', ')}}`);
    return `${lists.slice(0, -1).join(', ')} and ${lists.at(-1)}`;
  }
}

function validateSteepness(a: number, field: string): void {
  if (!(a >= 0 && Number.isFinite(Math.fround(a)))) {
    throw A2sfError.invalid(field, `must be a finite number of at least 0, got ${a}`);
  }
}

function validateOffset(b: number, field: string): void {
  if (!Number.isInteger(b) || b < 1 || b > maxOffset) {
    throw A2sfError.invalid(field, `must be a whole number in 1..${maxOffset}, got ${b}`);
  }
}

function validateBudget(budget: number, field: string): void {
  if (!Number.isInteger(budget) || budget < 1 || budget > maxActionBudget) {
    throw A2sfError.invalid(field, `must be a whole number in 1..${maxActionBudget}, got ${budget}`);
  }
}

function validateList(values: readonly number[], field: string): void {
  if (values.length === 0) throw A2sfError.invalid(field, 'needs at least one value');
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) throw A2sfError.invalid(field, `lists ${twice} twice`);
}

/** The shortest decimal whose float32 is that of `value`; nine digits always suffice. */
function shortestFloat32(value: number): number {
  const float32 = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(float32.toPrecision(digits));
    if (Math.fround(short) === float32) return short;
  }
  return Number(float32.toPrecision(9));
}
