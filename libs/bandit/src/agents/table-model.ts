import { A2sfError } from '@a2sf/errors';
import type { ActionSpace } from '@a2sf/kv-compression';
import type { Evaluation, FullObservation, InitialOptions, Observation, UpdateReport } from '../agent.js';
import { damagedState, StateReader, type PolicyState, type StateTensor } from '../policy-state.js';
import { readSpace, readWhole, requirePositive, requireWholeNumber, spaceTensors, wholeTensor } from './agent-state.js';
import { joinPairs, splitPairs, toPair } from './pairs.js';
import type { RewardModel } from './reward-model.js';

/** Most keys of a table, which bounds its memory. */
export const maxTableKeys = 1024;

/** What was earned under one key. */
interface Row {
  readonly counts: number[]; // [A]
  readonly sums: Float64Array; // [A]
}

/**
 * Mean reward of every action per key, contexts unread: p_a = S_a / (lambda + n_a) and u_a = 1 / (lambda + n_a) for n_a
 * rewards of sum S_a. It is ridge regression on a one-hot feature of the key. A context without a key, or with one that
 * was not seen, gets the row of all observations together.
 *
 * In a state: `action_counts` and `reward_sums` [2, A] of that row, `counts/KEY` and `sums/KEY` of the others.
 */
export class TableModel implements RewardModel {
  readonly space: ActionSpace;
  readonly dimension: number;
  readonly hidden = 0;
  readonly steps: number;
  readonly #lambda: number;
  readonly #all: Row;
  readonly #rows: Map<string, Row>;
  /** Whether rows by key are kept. */
  readonly #keyed: boolean;

  private constructor(
    base: { readonly space: ActionSpace; readonly dimension: number; readonly steps: number; readonly lambda: number },
    all: Row,
    rows: Map<string, Row>,
    keyed: boolean,
  ) {
    this.space = base.space;
    this.dimension = base.dimension;
    this.steps = base.steps;
    this.#lambda = base.lambda;
    this.#all = all;
    this.#rows = rows;
    this.#keyed = keyed;
  }

  /** `keyed` false: all observations go to one row. */
  static initial({ space, dimension, lambda = 0.1 }: InitialOptions, keyed: boolean): TableModel {
    requireWholeNumber('dimension', dimension, 65_536);
    requirePositive('uncertainty_coef', lambda);
    const base = { space, dimension, steps: 0, lambda: Math.fround(lambda) };
    return new TableModel(base, emptyRow(space.size), new Map(), keyed);
  }

  static restore(state: PolicyState, keyed: boolean): TableModel {
    const reader = new StateReader(state);
    const space = readSpace(reader);
    const dimension = readWhole(reader, 'context_dimension', 65_536);
    const [lambda] = reader.floats('lambda', [1]) as unknown as [number];
    if (!(lambda > 0)) throw damagedState('lambda', `holds ${lambda}`);
    const read = (counts: string, sums: string): Row => ({
      counts: reader.counts(counts, [space.size]),
      sums: joinPairs(reader.floats(sums, [2, space.size]), 1, space.size)[0]!,
    });
    const keys = reader.names('counts/');
    if (keys.length > maxTableKeys) throw damagedState(`counts/${keys[0]}`, `is one of ${keys.length} keys`);
    const rows = new Map(keys.map((key) => [key, read(`counts/${key}`, `sums/${key}`)]));
    const base = { space, dimension, steps: state.optimizerStep, lambda };
    return new TableModel(base, read('action_counts', 'reward_sums'), rows, keyed);
  }

  get counts(): readonly number[] {
    return this.#all.counts;
  }

  evaluate(contexts: readonly Float32Array[], keys: readonly (string | undefined)[]): Evaluation {
    const A = this.space.size;
    const rows = contexts.map((_, n) => (keys[n] === undefined ? undefined : this.#rows.get(keys[n])) ?? this.#all);
    const predictions = new Float64Array(contexts.length * A);
    for (const [n, { sums, counts }] of rows.entries()) {
      for (let a = 0; a < A; a++) predictions[n * A + a] = sums[a]! / (this.#lambda + counts[a]!);
    }
    return { predictions, uncertainty: (n, action) => 1 / (this.#lambda + rows[n]!.counts[action]!) };
  }

  update(batch: readonly Observation[]): UpdateReport {
    this.#requireRoom(batch);
    const { predictions } = this.#evaluateBatch(batch);
    let loss = 0;
    for (const [n, { actionIndex, reward }] of batch.entries()) {
      loss += (predictions[n * this.space.size + actionIndex]! - reward) ** 2 / batch.length;
    }
    for (const { actionIndex, reward, key } of batch) {
      for (const row of this.#rowsOf(key)) addReward(row, actionIndex, reward);
    }
    return { loss, gradientNorm: 0 };
  }

  updateFull(batch: readonly FullObservation[]): UpdateReport {
    this.#requireRoom(batch);
    const { predictions } = this.#evaluateBatch(batch);
    let loss = 0;
    for (const [n, { rewards }] of batch.entries()) {
      for (const [a, reward] of rewards.entries()) {
        loss += (predictions[n * rewards.length + a]! - reward) ** 2 / (batch.length * rewards.length);
      }
    }
    for (const { rewards, key } of batch) {
      for (const row of this.#rowsOf(key)) for (const [a, reward] of rewards.entries()) addReward(row, a, reward);
    }
    return { loss, gradientNorm: 0 };
  }

  tensors(): [string, StateTensor][] {
    const A = this.space.size;
    const sumsOf = ({ sums }: Row): StateTensor => ({ shape: [2, A], data: splitPairs([sums], A) });
    const tensors: [string, StateTensor][] = [
      ['context_dimension', wholeTensor(this.dimension)],
      ['lambda', { shape: [1], data: Float32Array.of(this.#lambda) }],
      ['reward_sums', sumsOf(this.#all)],
      ...spaceTensors(this.space, this.#all.counts),
    ];
    for (const key of [...this.#rows.keys()].sort()) {
      const row = this.#rows.get(key)!;
      tensors.push([`counts/${key}`, { shape: [A], data: BigInt64Array.from(row.counts, BigInt) }]);
      tensors.push([`sums/${key}`, sumsOf(row)]);
    }
    return tensors;
  }

  #evaluateBatch(batch: readonly { readonly context: Float32Array; readonly key?: string }[]): Evaluation {
    return this.evaluate(
      batch.map(({ context }) => context),
      batch.map(({ key }) => key),
    );
  }

  #requireRoom(batch: readonly { readonly key?: string }[]): void {
    if (!this.#keyed) return;
    const keys = new Set(this.#rows.keys());
    for (const [n, { key }] of batch.entries()) {
      if (key !== undefined) keys.add(key);
      if (keys.size > maxTableKeys) {
        throw A2sfError.invalid(`batch[${n}].key`, `is one more than the ${maxTableKeys} keys that a table holds`);
      }
    }
  }

  #rowsOf(key: string | undefined): Row[] {
    if (key === undefined || !this.#keyed) return [this.#all];
    const row = this.#rows.get(key) ?? emptyRow(this.space.size);
    this.#rows.set(key, row);
    return [this.#all, row];
  }
}

function emptyRow(actions: number): Row {
  return { counts: Array.from({ length: actions }, () => 0), sums: new Float64Array(actions) };
}

function addReward({ counts, sums }: Row, action: number, reward: number): void {
  counts[action]!++;
  sums[action] = toPair(sums[action]! + reward);
}
