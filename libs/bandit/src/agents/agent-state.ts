import { A2sfError, isA2sfError } from '@a2sf/errors';
import { ActionSpace } from '@a2sf/kv-compression';
import { damagedState, StateReader, type PolicyState, type StateTensor } from '../policy-state.js';

/** The tensors that every agent's state holds; `budgets` where the space has some. */
export function spaceTensors(
  { aValues, bValues, budgets }: ActionSpace,
  counts: readonly number[],
): [string, StateTensor][] {
  const named: [string, StateTensor][] = [
    ['budgets', { shape: [budgets.length], data: BigInt64Array.from(budgets, BigInt) }],
  ];
  return [
    ...(budgets.length === 0 ? [] : named),
    ['action_counts', { shape: [counts.length], data: BigInt64Array.from(counts, BigInt) }],
    ['a_values', { shape: [aValues.length], data: Float32Array.from(aValues) }],
    ['b_values', { shape: [bValues.length], data: BigInt64Array.from(bValues, BigInt) }],
  ];
}

/** The action space of a stored policy. Throws DATA_LOSS. */
export function spaceOfState(state: PolicyState): ActionSpace {
  return readSpace(new StateReader(state));
}

/** The action space of a state. Throws DATA_LOSS. */
export function readSpace(reader: StateReader): ActionSpace {
  const aValues = reader.floats('a_values', reader.shape('a_values', 1));
  const bValues = reader.counts('b_values', reader.shape('b_values', 1));
  const budgets = reader.has('budgets') ? reader.counts('budgets', reader.shape('budgets', 1)) : [];
  try {
    return new ActionSpace(aValues, bValues, budgets);
  } catch (error) {
    if (isA2sfError(error)) throw damagedState(error.field ?? 'a_values', error.message);
    throw error;
  }
}

/** A whole number as a tensor. */
export function wholeTensor(value: number): StateTensor {
  return { shape: [1], data: BigInt64Array.of(BigInt(value)) };
}

/** Reads a whole number in 0..most. Throws DATA_LOSS. */
export function readWhole(reader: StateReader, name: string, most = Number.MAX_SAFE_INTEGER): number {
  const [value] = reader.counts(name, [1]) as [number];
  if (value > most) throw damagedState(name, `holds ${value}, the largest possible is ${most}`);
  return value;
}

/** Throws INVALID_ARGUMENT. */
export function requireWholeNumber(field: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw A2sfError.invalid(field, `must be a whole number in 1..${most}`);
}

/** Throws INVALID_ARGUMENT. */
export function requirePositive(field: string, value: number): void {
  if (!(value > 0 && value < Infinity)) throw A2sfError.invalid(field, 'must be a positive number');
}

/** The tensor that holds the seed of an agent's draws. */
export function seedTensor(seed: number): [string, StateTensor] {
  return ['draw_seed', wholeTensor(seed)];
}

/** Throws DATA_LOSS. */
export function readSeed(reader: StateReader): number {
  return readWhole(reader, 'draw_seed');
}

/** Throws INVALID_ARGUMENT unless a seed can be stored. */
export function requireSeed(seed: number): number {
  if (!Number.isSafeInteger(seed) || seed < 0) throw A2sfError.invalid('seed', 'must be a whole number of at least 0');
  return seed;
}
