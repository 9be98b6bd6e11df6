import { A2sfError } from '@a2sf/errors';

/** The shape of a sigmoid window over query positions: steepness `a` >= 0 and offset `b` >= 1 (tokens from the end). */
export interface Action {
  readonly a: number;
  readonly b: number;
}

const maxOffset = 2 ** 32 - 1;

/** Throws INVALID_ARGUMENT unless `a` is finite and at least 0 and `b` a whole number in 1..2^32-1; `field` is the path to name. */
export function validateAction(action: Action, field = 'action'): void {
  validateSteepness(action.a, `${field}.a`);
  validateOffset(action.b, `${field}.b`);
}

/**
 * The actions a policy chooses from: every pair of `aValues` x `bValues`, index = a_index * len(b_values) + b_index.
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

  /** Throws INVALID_ARGUMENT for an empty list, a value out of range, or one that is listed twice. */
  constructor(aValues: Iterable<number>, bValues: Iterable<number>) {
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
  }

  /** Number of actions. */
  get size(): number {
    return this.aValues.length * this.bValues.length;
  }

  /** The action of an index. Throws INVALID_ARGUMENT naming `field` when the index is not in 0..size-1. */
  at(index: number, field = 'action_index'): Action {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) {
      throw A2sfError.invalid(field, `must be a whole number in 0..${this.size - 1}, got ${index}`);
    }
    const bCount = this.bValues.length;
    return { a: this.aValues[Math.floor(index / bCount)]!, b: this.bValues[index % bCount]! };
  }

  /** The index of an action, or undefined when it is not a point of the space; steepness is compared as float32. */
  indexOf(action: Action): number | undefined {
    const a = Math.fround(action.a);
    const aIndex = this.aValues.findIndex((value) => Math.fround(value) === a);
    const bIndex = this.bValues.indexOf(action.b);
    return aIndex < 0 || bIndex < 0 ? undefined : aIndex * this.bValues.length + bIndex;
  }

  /** All actions in index order. */
  actions(): Action[] {
    return this.aValues.flatMap((a) => this.bValues.map((b) => ({ a, b })));
  }

  /** True when both spaces hold the same actions under the same indices. */
  equals(other: ActionSpace): boolean {
    const same = (x: readonly number[], y: readonly number[]) => x.length === y.length && x.every((v, i) => v === y[i]);
    return same(this.aValues, other.aValues) && same(this.bValues, other.bValues);
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
