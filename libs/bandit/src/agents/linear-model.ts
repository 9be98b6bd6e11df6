import type { ActionSpace } from '@a2sf/kv-compression';
import type {
  Evaluation,
  FullObservation,
  InitialOptions,
  Observation,
  RestoreOptions,
  UpdateReport,
} from '../agent.js';
import { StateReader, type PolicyState, type StateTensor } from '../policy-state.js';
import { compress, type SparseVector } from '../sparse-vector.js';
import { readSpace, readWhole, requirePositive, requireWholeNumber, spaceTensors, wholeTensor } from './agent-state.js';
import { InverseCovariances } from './covariance.js';
import { joinPairs, splitPairs, toPair } from './pairs.js';
import type { Lease } from './symmetric-inverse.js';
import { readOnlyAgent, reportOf, type RewardModel } from './reward-model.js';

/** Widest context: the matrices take 6 A D^2 bytes. */
const maxDimension = 4096;

/**
 * Ridge regression of the reward on the raw context x, one action apart from the other (the disjoint model of Li, Chu,
 * Langford, Schapire 2010): L_a = lambda I + sum x x', b_a = sum r x, theta_a = L_a^-1 b_a, p_a = theta_a' x cut to 0..1,
 * u_a = x' L_a^-1 x. An update takes no step of an optimizer.
 */
export class LinearModel implements RewardModel {
  readonly space: ActionSpace;
  readonly dimension: number;
  readonly counts: number[];
  readonly steps: number;
  readonly #covariances: InverseCovariances;
  /** b_a */
  readonly #sums: Float64Array[];
  /** theta_a, computed anew after each update. */
  readonly #weights: Float64Array[];
  readonly #learns: boolean;

  private constructor(
    base: {
      readonly space: ActionSpace;
      readonly dimension: number;
      readonly counts: number[];
      readonly steps: number;
    },
    covariances: InverseCovariances,
    sums: Float64Array[],
    learns: boolean,
  ) {
    this.space = base.space;
    this.dimension = base.dimension;
    this.counts = base.counts;
    this.steps = base.steps;
    this.#covariances = covariances;
    this.#sums = sums;
    this.#weights = sums.map((sum, a) => covariances.of(a).product(sum));
    this.#learns = learns;
  }

  static initial({ space, dimension, lambda = 0.1 }: InitialOptions): LinearModel {
    requireWholeNumber('dimension', dimension, maxDimension);
    requirePositive('uncertainty_coef', lambda);
    const counts = Array.from({ length: space.size }, () => 0);
    const covariances = InverseCovariances.initial(space.size, dimension, lambda);
    const sums = counts.map(() => new Float64Array(dimension));
    return new LinearModel({ space, dimension, counts, steps: 0 }, covariances, sums, true);
  }

  static restore(state: PolicyState, { learns = true }: RestoreOptions = {}): LinearModel {
    const reader = new StateReader(state);
    const space = readSpace(reader);
    const dimension = readWhole(reader, 'context_dimension', maxDimension);
    const counts = reader.counts('action_counts', [space.size]);
    const covariances = InverseCovariances.read(reader, space.size, dimension, learns);
    const sums = joinPairs(reader.floats('reward_sums', [2, space.size, dimension]), space.size, dimension);
    return new LinearModel({ space, dimension, counts, steps: state.optimizerStep }, covariances, sums, learns);
  }

  get hidden(): number {
    return this.dimension;
  }

  evaluate(contexts: readonly Float32Array[]): Evaluation {
    const A = this.space.size;
    const predictions = new Float64Array(contexts.length * A);
    const sparse = contexts.map((context) => this.#compress(context));
    for (const [n, { indices, values }] of sparse.entries()) {
      for (let a = 0; a < A; a++) {
        const theta = this.#weights[a]!;
        let sum = 0;
        for (let q = 0; q < indices.length; q++) sum += theta[indices[q]!]! * values[q]!;
        predictions[n * A + a] = Math.min(Math.max(sum, 0), 1);
      }
    }
    return { predictions, uncertainty: (n, action) => this.#covariances.quadraticForm(action, sparse[n]!) };
  }

  update(batch: readonly Observation[]): UpdateReport {
    if (!this.#learns) throw readOnlyAgent();
    const A = this.space.size;
    const { predictions } = this.evaluate(batch.map(({ context }) => context));
    let loss = 0;
    const additions = batch.map(({ context, actionIndex: action, reward }, n) => {
      loss += (predictions[n * A + action]! - reward) ** 2 / batch.length;
      const z = this.#compress(context);
      this.#addReward(action, z, reward);
      return { action, z, count: ++this.counts[action]! };
    });
    const health = this.#covariances.add(additions);
    this.#covariances.takeSteps(); // followers get the whole policy
    for (const action of new Set(additions.map((addition) => addition.action))) this.#solve(action);
    return reportOf(loss, 0, health);
  }

  updateFull(batch: readonly FullObservation[]): UpdateReport {
    if (!this.#learns) throw readOnlyAgent();
    const A = this.space.size;
    const { predictions } = this.evaluate(batch.map(({ context }) => context));
    const sparse = batch.map(({ context }) => this.#compress(context));
    let loss = 0;
    for (const [n, { rewards }] of batch.entries()) {
      for (let a = 0; a < A; a++) {
        loss += (predictions[n * A + a]! - rewards[a]!) ** 2 / (batch.length * A);
        this.#addReward(a, sparse[n]!, rewards[a]!);
      }
    }
    const health = this.#covariances.addToAll(sparse, this.counts);
    this.#covariances.takeSteps();
    for (let a = 0; a < A; a++) {
      this.counts[a]! += batch.length;
      this.#solve(a);
    }
    return reportOf(loss, 0, health);
  }

  tensors(lease?: Lease): [string, StateTensor][] {
    if (!this.#learns) throw readOnlyAgent();
    const data = splitPairs(this.#sums, this.dimension);
    return [
      ['context_dimension', wholeTensor(this.dimension)],
      ['reward_sums', { shape: [2, this.space.size, this.dimension], data }],
      ...this.#covariances.tensors(lease),
      ...spaceTensors(this.space, this.counts),
    ];
  }

  #addReward(action: number, { indices, values }: SparseVector, reward: number): void {
    const sum = this.#sums[action]!;
    for (let q = 0; q < indices.length; q++) sum[indices[q]!] = toPair(sum[indices[q]!]! + reward * values[q]!);
  }

  #solve(action: number): void {
    this.#weights[action] = this.#covariances.of(action).product(this.#sums[action]!);
  }

  #compress(context: Float32Array): SparseVector {
    return compress(context, 0, this.dimension);
  }
}
