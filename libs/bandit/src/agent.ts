import type { ActionSpace } from '@a2sf/kv-compression';
import type { MatrixSteps } from './agents/matrix-steps.js';
import type { PolicyState, PolicyView } from './policy-state.js';

/** What was chosen for one context, and on what grounds. */
export interface Choice {
  readonly actionIndex: number;
  /** Predicted reward of the action, in 0..1. */
  readonly prediction: number;
  /** How little is known of the action in this context, >= 0. */
  readonly uncertainty: number;
  /** What was maximised: prediction plus beta times the exploration bonus, or as the algorithm says. */
  readonly ucb: number;
  /** Probability that this action is chosen here, over the random draws; 1 where nothing is drawn. In (0, 1]. */
  readonly propensity: number;
  /** prediction - boundBeta sqrt(uncertainty + 1e-6); absent where the uncertainty was not read. */
  readonly lowerBound?: number;
}

/** What a choice may depend on beside the context. */
export interface SelectOptions {
  /** One for each context: the name of its group, such as its dataset, for algorithms that tell groups apart. */
  readonly keys?: readonly (string | undefined)[];
  /**
   * With this probability the action is drawn uniformly from the space instead: each propensity is then
   * epsilon / A + (1 - epsilon) P(action). In 0..1, default 0.
   */
  readonly epsilon?: number;
  /**
   * One whole number for each context, default 0. All randomness is a function of the state, the context, its key and this
   * number: the same four give the same choice, another number an independent one.
   */
  readonly draws?: readonly number[];
  /** Weight of the uncertainty in the lower bound, >= 0. Default 1. */
  readonly boundBeta?: number;
  /**
   * In a space with budgets, for contexts with beta 0: the action is the cheapest one whose lower bound reaches this floor,
   * where there is one. Default: none.
   */
  readonly qualityFloor?: number;
  /**
   * False: no uncertainty is computed for contexts with beta 0; it is then told as 0, without a lower bound. Default true:
   * that of the chosen action.
   */
  readonly uncertainty?: boolean;
}

/** What a policy would do in one context, over all actions. */
export interface Outlook {
  /** The propensity that a choice would tell, of each action; they add up to 1. */
  readonly probabilities: Float64Array; // [A]
  /** Predicted rewards, in 0..1. */
  readonly predictions: Float64Array; // [A]
}

/** What a policy thinks of every action in N contexts; an uncertainty is computed when it is asked for. */
export interface Evaluation {
  /** Predicted rewards, in 0..1. */
  readonly predictions: Float64Array; // [N, A]
  /** How little is known of an action in context n, >= 0. Of the state as it is now: to be read before the next update. */
  uncertainty(n: number, action: number): number;
}

/** What was seen when an action was tried. */
export interface Observation {
  /** [dimension] */
  readonly context: Float32Array;
  readonly actionIndex: number;
  /** In 0..1. */
  readonly reward: number;
  /** Name of the context's group, at most 128 characters. */
  readonly key?: string;
}

/** What was seen when every action was tried in one context. */
export interface FullObservation {
  /** [dimension] */
  readonly context: Float32Array;
  /** [A], each in 0..1. */
  readonly rewards: Float32Array;
  /** Name of the context's group, at most 128 characters. */
  readonly key?: string;
}

/** What one update did. */
export interface UpdateReport {
  /** Mean squared error of the predictions for the tried actions, before the first step. */
  readonly loss: number;
  /** Norm of the first step's gradient before clipping; 0 where there is none. */
  readonly gradientNorm: number;
  /** Largest drift of L^-1 that was measured, an estimate of ||L L^-1 - I||_F / sqrt(h); absent when none was due. */
  readonly drift?: number;
  /** Matrices that were computed anew because they had drifted; absent when none was. */
  readonly rebuilt?: number;
}

/** The numbers that steer one update. */
export interface LearningOptions {
  /** Learning rate, > 0. */
  readonly lr: number;
  /** Bound of the global gradient norm, > 0. */
  readonly maxGradNorm: number;
  /** Adam steps on the batch, in 1..1000; models without a gradient take none. Default 1. */
  readonly stepsPerUpdate?: number;
}

/**
 * A contextual bandit: it chooses an action for a context and learns from rewards. Deterministic; not thread-safe.
 * Choosing changes nothing, also where it is random: the draws are a function of the state and of what is asked.
 */
export interface Agent {
  readonly space: ActionSpace;
  /** Length of a context. */
  readonly dimension: number;
  /** Width of the features that it learns on. */
  readonly hidden: number;
  /**
   * One choice per context, the lowest index on ties. `beta` >= 0 weighs exploration: one number for all contexts or one
   * for each. Throws FAILED_PRECONDITION for a context of another length, INVALID_ARGUMENT for numbers out of range.
   */
  select(contexts: readonly Float32Array[], beta: number | readonly number[], options?: SelectOptions): Choice[];
  /** The distribution that `select` draws from for the same arguments, one per context. Throws as it does. */
  outlook(contexts: readonly Float32Array[], beta: number | readonly number[], options?: SelectOptions): Outlook[];
  /** What every choice rests on; `keys` as in `select`. Throws as it does. */
  evaluate(contexts: readonly Float32Array[], keys?: readonly (string | undefined)[]): Evaluation;
  /** Learns from a batch, in its order. Throws as `select` does, with nothing changed. */
  update(batch: readonly Observation[], options: LearningOptions): UpdateReport;
  /** Learns from the rewards of all actions: the loss is their mean. Throws as `select` does, with nothing changed. */
  updateFull(batch: readonly FullObservation[], options: LearningOptions): UpdateReport;
  /** How often each action was learned from. */
  actionCounts(): number[];
  /** A copy of all that was learned. */
  state(): PolicyState;
  /** What the updates since the last call did to its matrices; undefined where steps do not tell it. */
  takeSteps(): MatrixSteps | undefined;
  /** What brings an agent to this one that was it before those steps, all since then; undefined where there is no such thing. */
  change(steps: readonly MatrixSteps[]): PolicyState | undefined;
  /** Becomes the agent that a change leads to. Throws DATA_LOSS, with nothing changed. */
  follow(change: PolicyState): void;
  /** The same without copies of what is large; it stays as it is while the agent learns on. To be released. */
  view(): PolicyView;
}

/** How a new agent is made. */
export interface InitialOptions {
  readonly space: ActionSpace;
  readonly dimension: number;
  /** Default 512. */
  readonly hidden?: number;
  /** Seed of the first weights. */
  readonly seed: number;
  /** Regularisation: L_a starts at lambda * I. Default 0.1. */
  readonly lambda?: number;
  /** Probability of a uniform draw, of epsilon-greedy: in 0..1, held in single precision. Default 0.1. */
  readonly epsilon?: number;
  /** The action of fixed. Default: the fallback of the space. */
  readonly action?: number;
}

/** How a stored agent comes back. */
export interface RestoreOptions {
  /** False: what only learning needs is left out, and an update is refused. Default true. */
  readonly learns?: boolean;
}

/** An algorithm: how its agents come to be. */
export interface AgentType {
  readonly name: string;
  initial(options: InitialOptions): Agent;
  /** The agent of a stored state. Throws DATA_LOSS naming the tensor that is missing or cannot be right. */
  restore(state: PolicyState, options?: RestoreOptions): Agent;
}
