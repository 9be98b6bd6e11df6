import { A2sfError } from '@a2sf/errors';
import type { ActionSpace } from '@a2sf/kv-compression';
import type { Random } from '@a2sf/random';
import type {
  Agent,
  Choice,
  Evaluation,
  FullObservation,
  LearningOptions,
  Observation,
  Outlook,
  SelectOptions,
  UpdateReport,
} from '../agent.js';
import { drawsOf } from '../draw-seed.js';
import { StateReader, type PolicyState, type PolicyView, type StateTensor } from '../policy-state.js';
import { requirePositive, requireWholeNumber } from './agent-state.js';
import { cheapestAction } from './cheapest-action.js';
import type { MatrixSteps } from './matrix-steps.js';
import { readOnlyAgent, type RewardModel } from './reward-model.js';
import { bonus, certain, type Decision, type SelectionRule } from './selection-rule.js';
import { readSteps, stepTensors } from './step-tensors.js';
import type { Lease } from './symmetric-inverse.js';

/** Largest magnitude of a context's component; a sane embedding stays below 100, and squares of 1e6 stay far from overflow. */
export const maxContextValue = 1e6;

/** Largest weight of exploration. */
export const maxBeta = 1e6;

/** Most Adam steps of one update. */
export const maxStepsPerUpdate = 1000;

/** Longest key, in UTF-16 units. */
export const maxKeyLength = 128;

/** What makes an agent beside its model and its rule. */
export interface AgentParts {
  readonly name: string;
  readonly rule: SelectionRule;
  /** Of the draws. Default 0. */
  readonly seed?: number;
  /** Probability of a uniform draw where beta is above 0. Default 0. */
  readonly epsilon?: number;
  /** Tensors of the state beside the model's. */
  readonly extra?: readonly (readonly [string, StateTensor])[];
}

/**
 * An agent of a model, which predicts and learns, and a rule, which chooses. With probability epsilon the rule's action is
 * replaced by one that is drawn uniformly: propensity = epsilon / A + (1 - epsilon) P(action), P the rule's probability.
 * Where the algorithm has an epsilon of its own, both are applied: 1 - (1 - epsilon_own)(1 - epsilon_asked).
 */
export class ModelAgent<M extends RewardModel = RewardModel> implements Agent {
  protected readonly model: M;
  readonly #parts: AgentParts;

  constructor(model: M, parts: AgentParts) {
    this.model = model;
    this.#parts = parts;
  }

  get space(): ActionSpace {
    return this.model.space;
  }

  get dimension(): number {
    return this.model.dimension;
  }

  get hidden(): number {
    return this.model.hidden;
  }

  select(contexts: readonly Float32Array[], beta: number | readonly number[], options: SelectOptions = {}): Choice[] {
    const asked = this.#ask(contexts, beta, options);
    return contexts.map((_, n) => this.#choose(asked, n));
  }

  outlook(contexts: readonly Float32Array[], beta: number | readonly number[], options: SelectOptions = {}): Outlook[] {
    const asked = this.#ask(contexts, beta, options);
    return contexts.map((_, n) => {
      const { decision, epsilon, predictions } = this.#decide(asked, n);
      const A = this.space.size;
      const probabilities = predictions.map((__, a) => epsilon / A + (1 - epsilon) * decision.probability(a));
      return { probabilities, predictions: predictions.slice() };
    });
  }

  evaluate(contexts: readonly Float32Array[], keys: readonly (string | undefined)[] = []): Evaluation {
    for (const [n, context] of contexts.entries()) this.requireContext(context, `contexts[${n}]`);
    if (keys.length > 0) requireOptions({ keys }, contexts.length);
    return this.model.evaluate(contexts, keys);
  }

  update(batch: readonly Observation[], options: LearningOptions): UpdateReport {
    this.#requireBatch(batch, options);
    for (const [n, { actionIndex, reward }] of batch.entries()) {
      this.space.at(actionIndex, `batch[${n}].action_index`);
      requireReward(reward, `batch[${n}].reward`);
    }
    return this.model.update(batch, options);
  }

  updateFull(batch: readonly FullObservation[], options: LearningOptions): UpdateReport {
    this.#requireBatch(batch, options);
    for (const [n, { rewards }] of batch.entries()) {
      const field = `batch[${n}].rewards`;
      if (rewards.length !== this.space.size) {
        throw A2sfError.invalid(field, `must hold one number for each of ${this.space.size} actions`);
      }
      for (const [a, reward] of rewards.entries()) requireReward(reward, `${field}[${a}]`);
    }
    return this.model.updateFull(batch, options);
  }

  actionCounts(): number[] {
    return [...this.model.counts];
  }

  state(): PolicyState {
    return this.#state();
  }

  takeSteps(): MatrixSteps | undefined {
    return this.model.takeSteps?.();
  }

  change(steps: readonly MatrixSteps[]): PolicyState | undefined {
    const served = this.model.servedTensors?.();
    if (served === undefined) return undefined;
    const tensors = new Map([...served, ...stepTensors(steps, this.hidden)]);
    return { agent: this.#parts.name, optimizerStep: this.model.steps, tensors };
  }

  follow(change: PolicyState): void {
    if (this.model.follow === undefined) throw readOnlyAgent();
    const reader = new StateReader(change);
    this.model.follow(reader, readSteps(reader, this.space.size, this.hidden));
  }

  view(): PolicyView {
    const lease: Lease = { isHeld: true };
    return { ...this.#state(lease), release: () => void (lease.isHeld = false) };
  }

  protected requireContext(context: Float32Array, field: string): void {
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

  #state(lease?: Lease): PolicyState {
    const { name, extra = [] } = this.#parts;
    const tensors = new Map([...this.model.tensors(lease), ...extra]);
    return { agent: name, optimizerStep: this.model.steps, tensors };
  }

  /** What is asked, checked, with what the model says of it. */
  #ask(contexts: readonly Float32Array[], beta: number | readonly number[], options: SelectOptions): Asked {
    const betas = typeof beta === 'number' ? contexts.map(() => beta) : beta;
    if (betas.length !== contexts.length) throw A2sfError.invalid('beta', 'must be one number or one for each context');
    for (const [n, context] of contexts.entries()) {
      this.requireContext(context, `contexts[${n}]`);
      if (!(betas[n]! >= 0 && betas[n]! <= maxBeta)) throw A2sfError.invalid('beta', `must be in 0..${maxBeta}`);
    }
    requireOptions(options, contexts.length);
    const evaluation = this.model.evaluate(contexts, options.keys ?? []);
    return { contexts, betas, options, evaluation, uncertainties: this.#uncertainties(evaluation, betas) };
  }

  /** [N, A], zeros where none is needed: the contexts inside the actions, so that each matrix passes through the cache once. */
  #uncertainties(evaluation: Evaluation, betas: readonly number[]): Float64Array {
    const A = this.space.size;
    const uncertainties = new Float64Array(betas.length * A);
    if (!this.#parts.rule.readsUncertainties) return uncertainties;
    for (let a = 0; a < A; a++) {
      for (const [n, beta] of betas.entries()) {
        if (beta > 0) uncertainties[n * A + a] = evaluation.uncertainty(n, a);
      }
    }
    return uncertainties;
  }

  /** The rule's decision for a context, before the mix with a uniform draw, and what it rests on. */
  #decide({ contexts, betas, options, evaluation, uncertainties }: Asked, n: number): Grounded {
    const A = this.space.size;
    const { rule, seed = 0, epsilon: own = 0 } = this.#parts;
    const beta = betas[n]!;
    const random = drawsOf({
      seed,
      age: this.model.counts.reduce((sum, count) => sum + count, 0),
      context: contexts[n]!,
      key: options.keys?.[n],
      draw: options.draws?.[n] ?? 0,
    });
    const predictions = evaluation.predictions.subarray(n * A, (n + 1) * A);
    const known = uncertainties.subarray(n * A, (n + 1) * A);
    const decided = rule.decide({ predictions, uncertainties: known, beta, random });
    const cheapest =
      beta === 0 && rule.isBlind !== true ? this.#cheapest(predictions, evaluation, n, options) : undefined;
    const decision = cheapest === undefined ? decided : certain(predictions, cheapest);
    const epsilon = 1 - (1 - (beta > 0 ? own : 0)) * (1 - (options.epsilon ?? 0));
    return { decision, epsilon, predictions, known, random };
  }

  /** The action that a floor asks for; undefined without a floor, and where nothing clears it. */
  #cheapest(
    predictions: Float64Array,
    evaluation: Evaluation,
    n: number,
    { qualityFloor: floor, boundBeta = 1 }: SelectOptions,
  ): number | undefined {
    if (floor === undefined) return undefined;
    const { space } = this;
    const uncertainty = (action: number): number => evaluation.uncertainty(n, action);
    return cheapestAction({ space, predictions, uncertainty, boundBeta, floor });
  }

  #choose(asked: Asked, n: number): Choice {
    const A = this.space.size;
    const { betas, options, evaluation } = asked;
    const { decision, epsilon, predictions, known, random } = this.#decide(asked, n);
    const isMixed = epsilon > 0 && random.uniform() < epsilon;
    const actionIndex = isMixed ? random.below(A) : decision.actionIndex;
    const isRead = this.#parts.rule.readsUncertainties && betas[n]! > 0;
    const isTold = isRead || options.uncertainty !== false;
    const uncertainty = isRead ? known[actionIndex]! : isTold ? evaluation.uncertainty(n, actionIndex) : 0;
    const prediction = predictions[actionIndex]!;
    return {
      actionIndex,
      prediction,
      uncertainty,
      ucb: decision.scores[actionIndex]!,
      propensity: epsilon / A + (1 - epsilon) * decision.probability(actionIndex),
      ...(isTold ? { lowerBound: prediction - (options.boundBeta ?? 1) * bonus(uncertainty) } : {}),
    };
  }

  #requireBatch(
    batch: readonly (Observation | FullObservation)[],
    { lr, maxGradNorm, stepsPerUpdate = 1 }: LearningOptions,
  ): void {
    if (batch.length === 0) throw A2sfError.invalid('batch', 'must hold at least one observation');
    for (const [n, { context, key }] of batch.entries()) {
      this.requireContext(context, `batch[${n}].context`);
      requireKey(key, `batch[${n}].key`);
    }
    requirePositive('lr', lr);
    requirePositive('max_grad_norm', maxGradNorm);
    requireWholeNumber('steps_per_update', stepsPerUpdate, maxStepsPerUpdate);
  }
}

interface Asked {
  readonly contexts: readonly Float32Array[];
  readonly betas: readonly number[];
  readonly options: SelectOptions;
  readonly evaluation: Evaluation;
  readonly uncertainties: Float64Array;
}

/** A decision and what it rests on. */
interface Grounded {
  readonly decision: Decision;
  /** Probability that a uniform draw takes the decision's place. */
  readonly epsilon: number;
  readonly predictions: Float64Array; // [A]
  readonly known: Float64Array; // [A], the uncertainties that were read
  /** What is left of the draws. */
  readonly random: Random;
}

function requireOptions(
  { keys, draws, epsilon = 0, boundBeta = 1, qualityFloor = 0 }: SelectOptions,
  count: number,
): void {
  for (const [field, list] of Object.entries({ keys, draws })) {
    if (list !== undefined && list.length !== count) throw A2sfError.invalid(field, 'must hold one for each context');
  }
  for (const [n, key] of (keys ?? []).entries()) requireKey(key, `keys[${n}]`);
  for (const [n, draw] of (draws ?? []).entries()) {
    if (!Number.isSafeInteger(draw)) throw A2sfError.invalid(`draws[${n}]`, 'must be a whole number');
  }
  if (!(epsilon >= 0 && epsilon <= 1)) throw A2sfError.invalid('epsilon', 'must be in 0..1');
  if (!(boundBeta >= 0 && boundBeta <= maxBeta)) throw A2sfError.invalid('bound_beta', `must be in 0..${maxBeta}`);
  if (!Number.isFinite(qualityFloor)) throw A2sfError.invalid('quality_floor', 'must be a finite number');
}

function requireKey(key: string | undefined, field: string): void {
  if (key !== undefined && (key.length < 1 || key.length > maxKeyLength)) {
    throw A2sfError.invalid(field, `must have 1..${maxKeyLength} characters, has ${key.length}`);
  }
}

function requireReward(reward: number, field: string): void {
  if (!(reward >= 0 && reward <= 1)) throw A2sfError.invalid(field, 'must be in 0..1');
}
