import { A2sfError, isA2sfError } from '@a2sf/errors';
import { ActionSpace } from '@a2sf/kv-compression';
import type { Agent, Choice, InitialOptions, LearningOptions, Observation, UpdateReport } from '../agent.js';
import { argmax } from '../argmax.js';
import { damagedState, StateReader, type PolicyState, type StateTensor } from '../policy-state.js';
import { Random } from '@a2sf/random';
import { Adam, clipFactor, globalNorm } from './adam.js';
import { compress, InverseCovariances, type SparseVector } from './covariance.js';
import { FeatureNetwork, parameterShapes, type NetworkShape, type Parameter } from './feature-network.js';

/** Largest magnitude of a context's component; a sane embedding stays below 100, and squares of 1e6 stay far from overflow. */
export const maxContextValue = 1e6;

/** Largest weight of exploration. */
export const maxBeta = 1e6;

const maxHidden = 8192;

/** What the network says of some contexts, one entry a context. */
export interface Prediction {
  readonly predictions: readonly Float32Array[]; // [A] each
  readonly uncertainties: readonly Float32Array[]; // [A] each
  readonly features: readonly Float32Array[]; // [h] each
}

/**
 * Neural-linear UCB (after Zhou, Li, Gu 2020, with the covariance on the last layer's features): for features z and
 * predictions p of a context, u_a = z' L_a^-1 z and ucb_a = p_a + beta sqrt(u_a + 1e-6); the action is the argmax.
 *
 * An update is one clipped Adam step on the mean squared error of the tried actions, then a Sherman-Morrison update of
 * L_a^-1 per observation, actions ascending and in batch order within one, with the features of before the step.
 */
export class NeuralUcb implements Agent {
  static readonly agentName = 'neural-ucb';

  readonly space: ActionSpace;
  readonly #network: FeatureNetwork;
  readonly #adam: Adam;
  readonly #covariances: InverseCovariances;
  readonly #counts: number[];

  private constructor(
    space: ActionSpace,
    network: FeatureNetwork,
    adam: Adam,
    covariances: InverseCovariances,
    counts: number[],
  ) {
    this.space = space;
    this.#network = network;
    this.#adam = adam;
    this.#covariances = covariances;
    this.#counts = counts;
  }

  static initial({ space, dimension, hidden = 512, seed, lambda = 0.1 }: InitialOptions): NeuralUcb {
    requireWholeNumber('dimension', dimension, 65_536);
    requireWholeNumber('hidden', hidden, maxHidden);
    requirePositive('uncertainty_coef', lambda);
    const shape = { dimension, hidden, actions: space.size };
    const network = FeatureNetwork.initial(shape, new Random(seed));
    const covariances = InverseCovariances.initial(space.size, hidden, lambda);
    const counts = Array.from({ length: space.size }, () => 0);
    return new NeuralUcb(space, network, Adam.initial(network.parameters), covariances, counts);
  }

  static restore(state: PolicyState): NeuralUcb {
    const reader = new StateReader(state);
    const space = readSpace(reader);
    const [hidden, dimension] = reader.shape('backbone.0.weight', 2) as [number, number];
    const actions = space.size;
    const shape: NetworkShape = { dimension, hidden, actions };
    const parameters = readParameters(reader, shape, '');
    const network = new FeatureNetwork(shape, parameters);
    const counts = reader.counts('action_counts', [actions]);
    const matrices = reader.floats('inverse_lambdas', [actions, hidden, hidden]);
    for (let i = 0; i < actions * hidden; i++) {
      const diagonal = matrices[i * hidden + (i % hidden)]!;
      if (!(diagonal > 0)) throw damagedState('inverse_lambdas', `holds ${diagonal} on a diagonal`);
    }
    const covariances = new InverseCovariances(actions, hidden, matrices);
    return new NeuralUcb(space, network, readAdam(reader, shape, state.optimizerStep, parameters), covariances, counts);
  }

  get dimension(): number {
    return this.#network.shape.dimension;
  }

  get hidden(): number {
    return this.#network.shape.hidden;
  }

  /** Predictions, features and the uncertainties of all actions. */
  predict(contexts: readonly Float32Array[]): Prediction {
    for (const [n, context] of contexts.entries()) this.#requireContext(context, `contexts[${n}]`);
    const { predictions, features } = this.#network.forward(contexts);
    const { actions, hidden } = this.#network.shape;
    const sparse = this.#sparseFeatures(features, contexts.length);
    const uncertainties = contexts.map(() => new Float32Array(actions));
    for (let a = 0; a < actions; a++) {
      for (const [n, z] of sparse.entries()) uncertainties[n]![a] = this.#covariances.quadraticForm(a, z);
    }
    const rows = (x: Float64Array, width: number) =>
      contexts.map((_, n) => Float32Array.from(x.subarray(n * width, (n + 1) * width)));
    return { predictions: rows(predictions, actions), uncertainties, features: rows(features, hidden) };
  }

  select(contexts: readonly Float32Array[], beta: number | readonly number[]): Choice[] {
    const betas = typeof beta === 'number' ? contexts.map(() => beta) : beta;
    if (betas.length !== contexts.length) throw A2sfError.invalid('beta', 'must be one number or one for each context');
    for (const [n, context] of contexts.entries()) {
      this.#requireContext(context, `contexts[${n}]`);
      if (!(betas[n]! >= 0 && betas[n]! <= maxBeta)) throw A2sfError.invalid('beta', `must be in 0..${maxBeta}`);
    }
    const { predictions, features } = this.#network.forward(contexts);
    const A = this.space.size;
    const sparse = this.#sparseFeatures(features, contexts.length);
    const uncertainties = new Float64Array(contexts.length * A);
    const ucbs = predictions.slice();
    for (let a = 0; a < A; a++) {
      // The contexts inside the actions: each matrix passes through the cache once.
      for (const [n, z] of sparse.entries()) {
        if (betas[n] === 0) continue;
        const u = this.#covariances.quadraticForm(a, z);
        uncertainties[n * A + a] = u;
        ucbs[n * A + a]! += betas[n]! * Math.sqrt(u + 1e-6);
      }
    }
    return sparse.map((z, n) => {
      const actionIndex = argmax(ucbs.subarray(n * A, (n + 1) * A));
      const at = n * A + actionIndex;
      const uncertainty = betas[n] === 0 ? this.#covariances.quadraticForm(actionIndex, z) : uncertainties[at]!;
      return { actionIndex, prediction: predictions[at]!, uncertainty, ucb: ucbs[at]! };
    });
  }

  update(batch: readonly Observation[], { lr, maxGradNorm }: LearningOptions): UpdateReport {
    this.#requireBatch(batch);
    requirePositive('lr', lr);
    requirePositive('max_grad_norm', maxGradNorm);
    const forward = this.#network.forward(batch.map(({ context }) => context));
    const chosen = batch.map(({ actionIndex }) => actionIndex);
    const rewards = batch.map(({ reward }) => reward);
    const { loss, gradients } = this.#network.lossGradient(forward, chosen, rewards);
    const gradientNorm = globalNorm(gradients);
    if (!Number.isFinite(gradientNorm))
      throw new A2sfError('INTERNAL', 'the gradient is not finite; nothing was changed');
    this.#adam.apply(this.#network.parameters, gradients, lr, clipFactor(gradientNorm, maxGradNorm));
    const sparse = this.#sparseFeatures(forward.features, batch.length);
    const byAction = batch.map((_, n) => n).sort((x, y) => chosen[x]! - chosen[y]!); // stable: batch order within one
    for (const n of byAction) {
      this.#covariances.add(chosen[n]!, sparse[n]!);
      this.#counts[chosen[n]!]!++;
    }
    return { loss, gradientNorm };
  }

  actionCounts(): number[] {
    return [...this.#counts];
  }

  state(): PolicyState {
    const { parameters } = this.#network;
    const A = this.space.size;
    const tensors = new Map<string, StateTensor>();
    for (const [i, { name, shape, values }] of parameters.entries()) {
      tensors.set(name, { shape, data: values.slice() });
      tensors.set(`optimizer.exp_avg.${name}`, { shape, data: this.#adam.firstMoments[i]!.slice() });
      tensors.set(`optimizer.exp_avg_sq.${name}`, { shape, data: this.#adam.secondMoments[i]!.slice() });
    }
    tensors.set('inverse_lambdas', { shape: [A, this.hidden, this.hidden], data: this.#covariances.matrices.slice() });
    tensors.set('action_counts', { shape: [A], data: BigInt64Array.from(this.#counts, BigInt) });
    const { aValues, bValues } = this.space;
    tensors.set('a_values', { shape: [aValues.length], data: Float32Array.from(aValues) });
    tensors.set('b_values', { shape: [bValues.length], data: BigInt64Array.from(bValues, BigInt) });
    return { agent: NeuralUcb.agentName, optimizerStep: this.#adam.step, tensors };
  }

  #sparseFeatures(features: Float64Array, rows: number): SparseVector[] {
    return Array.from({ length: rows }, (_, n) => compress(features, n * this.hidden, this.hidden));
  }

  #requireContext(context: Float32Array, field: string): void {
    if (context.length !== this.dimension) {
      const problem = `has ${context.length} numbers, the policy was made for ${this.dimension}`;
      throw new A2sfError('FAILED_PRECONDITION', `${field}: ${problem}`, { field, reason: 'wrong-dimension' });
    }
    for (let i = 0; i < context.length; i++) {
      if (!(Math.abs(context[i]!) <= maxContextValue)) {
        throw A2sfError.invalid(`${field}[${i}]`, `must be a number of at most ${maxContextValue} in magnitude`);
      }
    }
  }

  #requireBatch(batch: readonly Observation[]): void {
    if (batch.length === 0) throw A2sfError.invalid('batch', 'must hold at least one observation');
    for (const [n, { context, actionIndex, reward }] of batch.entries()) {
      this.#requireContext(context, `batch[${n}].context`);
      this.space.at(actionIndex, `batch[${n}].action_index`);
      if (!(reward >= 0 && reward <= 1)) throw A2sfError.invalid(`batch[${n}].reward`, 'must be in 0..1');
    }
  }
}

function readSpace(reader: StateReader): ActionSpace {
  const aValues = reader.floats('a_values', reader.shape('a_values', 1));
  const bValues = reader.counts('b_values', reader.shape('b_values', 1));
  try {
    return new ActionSpace(aValues, bValues);
  } catch (error) {
    if (isA2sfError(error)) throw damagedState(error.field ?? 'a_values', error.message);
    throw error;
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

function requireWholeNumber(field: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw A2sfError.invalid(field, `must be a whole number in 1..${most}`);
}

function requirePositive(field: string, value: number): void {
  if (!(value > 0 && value < Infinity)) throw A2sfError.invalid(field, 'must be a positive number');
}
