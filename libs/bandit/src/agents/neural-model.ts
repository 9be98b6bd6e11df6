import { Random } from '@a2sf/random';
import type { ActionSpace } from '@a2sf/kv-compression';
import { A2sfError } from '@a2sf/errors';
import type {
  Evaluation,
  FullObservation,
  InitialOptions,
  LearningOptions,
  Observation,
  RestoreOptions,
  UpdateReport,
} from '../agent.js';
import { damagedState, StateReader, type PolicyState, type StateTensor } from '../policy-state.js';
import { compress, type SparseVector } from '../sparse-vector.js';
import { Adam, clipFactor, globalNorm } from './adam.js';
import { readSpace, requirePositive, requireWholeNumber, spaceTensors } from './agent-state.js';
import { InverseCovariances } from './covariance.js';
import type { MatrixSteps } from './matrix-steps.js';
import type { Lease, SymmetricInverse } from './symmetric-inverse.js';
import {
  FeatureNetwork,
  parameterShapes,
  type Activations,
  type LossGradient,
  type NetworkShape,
  type Parameter,
} from './feature-network.js';
import { readOnlyAgent, reportOf, type RewardModel } from './reward-model.js';

/** Widest hidden layers. */
export const maxHidden = 8192;
/** Width of the hidden layers of the reference. */
export const defaultHidden = 512;

/**
 * A network's features z and predictions p of a context, and u_a = z' L_a^-1 z (neural-linear: Riquelme, Tucker, Snoek 2018).
 *
 * An update is one clipped Adam step on the mean squared error, or several on the same batch, then a Sherman-Morrison update
 * of L_a^-1 per observation, actions ascending and in batch order within one, with the features of before the first step.
 * Where the rewards of all actions are known, the error is the mean over batch and actions and each z is added to every L_a,
 * once where they are equal.
 */
export class NeuralModel implements RewardModel {
  readonly space: ActionSpace;
  readonly counts: number[];
  readonly #network: FeatureNetwork;
  readonly #adam: Adam;
  readonly #covariances: InverseCovariances;
  readonly #learns: boolean;

  private constructor(
    space: ActionSpace,
    network: FeatureNetwork,
    adam: Adam,
    covariances: InverseCovariances,
    counts: number[],
    learns: boolean,
  ) {
    this.space = space;
    this.counts = counts;
    this.#network = network;
    this.#adam = adam;
    this.#covariances = covariances;
    this.#learns = learns;
  }

  static initial({ space, dimension, hidden = defaultHidden, seed, lambda = 0.1 }: InitialOptions): NeuralModel {
    requireWholeNumber('dimension', dimension, 65_536);
    requireWholeNumber('hidden', hidden, maxHidden);
    requirePositive('uncertainty_coef', lambda);
    const shape = { dimension, hidden, actions: space.size };
    const network = FeatureNetwork.initial(shape, new Random(seed));
    const covariances = InverseCovariances.initial(space.size, hidden, lambda);
    const counts = Array.from({ length: space.size }, () => 0);
    return new NeuralModel(space, network, Adam.initial(network.parameters), covariances, counts, true);
  }

  static restore(state: PolicyState, { learns = true }: RestoreOptions = {}): NeuralModel {
    const reader = new StateReader(state);
    const space = readSpace(reader);
    const [hidden, dimension] = reader.shape('backbone.0.weight', 2) as [number, number];
    const shape: NetworkShape = { dimension, hidden, actions: space.size };
    const parameters = readParameters(reader, shape, '');
    const network = new FeatureNetwork(shape, parameters);
    const counts = reader.counts('action_counts', [space.size]);
    const covariances = InverseCovariances.read(reader, space.size, hidden, learns);
    const adam = learns ? readAdam(reader, shape, state.optimizerStep, parameters) : Adam.initial([]);
    return new NeuralModel(space, network, adam, covariances, counts, learns);
  }

  get dimension(): number {
    return this.#network.shape.dimension;
  }

  get hidden(): number {
    return this.#network.shape.hidden;
  }

  get steps(): number {
    return this.#adam.step;
  }

  /** The features ride along. */
  evaluate(contexts: readonly Float32Array[]): Evaluation & { readonly features: Float32Array } {
    const { predictions, features } = this.#network.forward(contexts);
    const sparse: (SparseVector | undefined)[] = contexts.map(() => undefined);
    // Actions that share a matrix (full information) share the value: it is remembered per context.
    const last: ({ readonly matrix: SymmetricInverse; readonly value: number } | undefined)[] = contexts.map(
      () => undefined,
    );
    const uncertainty = (n: number, action: number): number => {
      const matrix = this.#covariances.of(action);
      if (last[n]?.matrix === matrix) return last[n].value;
      const z = (sparse[n] ??= compress(features, n * this.hidden, this.hidden));
      const value = matrix.quadraticForm(z);
      last[n] = { matrix, value };
      return value;
    };
    return { predictions, features, uncertainty };
  }

  update(batch: readonly Observation[], options: LearningOptions): UpdateReport {
    const contexts = batch.map(({ context }) => context);
    const chosen = batch.map(({ actionIndex }) => actionIndex);
    const rewards = batch.map(({ reward }) => reward);
    const gradientAt = (forward: Activations): LossGradient => this.#network.lossGradient(forward, chosen, rewards);
    const { forward, loss, gradientNorm } = this.#descend(contexts, gradientAt, options);
    const sparse = this.#sparseFeatures(forward);
    const byAction = batch.map((_, n) => n).sort((x, y) => chosen[x]! - chosen[y]!); // stable: batch order within one
    const additions = byAction.map((n) => {
      const action = chosen[n]!;
      return { action, z: sparse[n]!, count: ++this.counts[action]! };
    });
    return reportOf(loss, gradientNorm, this.#covariances.add(additions));
  }

  updateFull(batch: readonly FullObservation[], options: LearningOptions): UpdateReport {
    const contexts = batch.map(({ context }) => context);
    const rewards = batch.map((observation) => observation.rewards);
    const gradientAt = (forward: Activations): LossGradient => this.#network.fullLossGradient(forward, rewards);
    const { forward, loss, gradientNorm } = this.#descend(contexts, gradientAt, options);
    const health = this.#covariances.addToAll(this.#sparseFeatures(forward), this.counts);
    for (let a = 0; a < this.counts.length; a++) this.counts[a]! += batch.length;
    return reportOf(loss, gradientNorm, health);
  }

  tensors(lease?: Lease): [string, StateTensor][] {
    if (!this.#learns) throw readOnlyAgent();
    const tensors: [string, StateTensor][] = [];
    for (const [i, { name, shape, values }] of this.#network.parameters.entries()) {
      tensors.push([name, { shape, data: values.slice() }]);
      tensors.push([`optimizer.exp_avg.${name}`, { shape, data: this.#adam.firstMoments[i]!.slice() }]);
      tensors.push([`optimizer.exp_avg_sq.${name}`, { shape, data: this.#adam.secondMoments[i]!.slice() }]);
    }
    return [...tensors, ...this.#covariances.tensors(lease), ...spaceTensors(this.space, this.counts)];
  }

  takeSteps(): MatrixSteps | undefined {
    return this.#covariances.takeSteps();
  }

  servedTensors(): [string, StateTensor][] {
    const parameters = this.#network.parameters.map(({ name, shape, values }): [string, StateTensor] => [
      name,
      { shape, data: values.slice() },
    ]);
    return [...parameters, ...spaceTensors(this.space, this.counts)];
  }

  follow(reader: StateReader, steps: MatrixSteps): void {
    const parameters = readParameters(reader, this.#network.shape, '');
    const counts = reader.counts('action_counts', [this.space.size]);
    this.#network.change((own) => {
      for (const [i, { values }] of own.entries()) values.set(parameters[i]!.values);
    });
    for (const [a, count] of counts.entries()) this.counts[a] = count;
    this.#covariances.follow(steps);
  }

  /** The Adam steps of one update; tells what was before the first one. INTERNAL, with nothing changed, where it cannot be taken. */
  #descend(
    contexts: readonly Float32Array[],
    gradientAt: (forward: Activations) => LossGradient,
    options: LearningOptions,
  ): { readonly forward: Activations; readonly loss: number; readonly gradientNorm: number } {
    if (!this.#learns) throw readOnlyAgent();
    const forward = this.#network.forward(contexts);
    const { loss, gradients } = gradientAt(forward);
    const gradientNorm = this.#step(gradients, options);
    if (gradientNorm === undefined) {
      throw new A2sfError('INTERNAL', 'the gradient is not finite; nothing was changed');
    }
    for (let k = 1; k < (options.stepsPerUpdate ?? 1); k++) {
      const next = gradientAt(this.#network.forward(contexts));
      if (this.#step(next.gradients, options) === undefined) break; // the network stays as the last finite step left it
    }
    return { forward, loss, gradientNorm };
  }

  /** One Adam step; the norm of the gradient before clipping. Undefined, and no step, where that is not finite. */
  #step(gradients: LossGradient['gradients'], { lr, maxGradNorm }: LearningOptions): number | undefined {
    const gradientNorm = globalNorm(gradients);
    if (!Number.isFinite(gradientNorm)) return undefined;
    const clip = clipFactor(gradientNorm, maxGradNorm);
    this.#network.change((parameters) => this.#adam.apply(parameters, gradients, lr, clip));
    return gradientNorm;
  }

  #sparseFeatures({ features, rows }: Activations): SparseVector[] {
    return Array.from({ length: rows }, (_, n) => compress(features, n * this.hidden, this.hidden));
  }
}

function readParameters(reader: StateReader, shape: NetworkShape, prefix: string): Parameter[] {
  return parameterShapes(shape).map(([name, dimensions]) => ({
    name,
    shape: dimensions,
    values: reader.floats(prefix + name, dimensions),
  }));
}

/** Absent moments are zeros, and the step is then 0. */
function readAdam(reader: StateReader, shape: NetworkShape, step: number, parameters: readonly Parameter[]): Adam {
  const prefixes = ['optimizer.exp_avg.', 'optimizer.exp_avg_sq.'];
  const names = prefixes.flatMap((prefix) => parameters.map(({ name }) => prefix + name));
  if (!names.some((name) => reader.has(name))) return Adam.initial(parameters);
  const [first, second] = prefixes.map((prefix) => readParameters(reader, shape, prefix).map(({ values }) => values));
  for (const [i, moments] of second!.entries()) {
    if (moments.some((value) => value < 0))
      throw damagedState(prefixes[1]! + parameters[i]!.name, 'holds a negative number');
  }
  return new Adam(step, first!, second!);
}
