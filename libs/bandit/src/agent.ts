import type { ActionSpace } from '@a2sf/kv-compression';
import type { PolicyState } from './policy-state.js';

/** What was chosen for one context, and on what grounds. */
export interface Choice {
  readonly actionIndex: number;
  /** Predicted reward of the action, in 0..1. */
  readonly prediction: number;
  /** How little is known of the action in this context, >= 0. */
  readonly uncertainty: number;
  /** What was maximised: prediction plus beta times the exploration bonus. */
  readonly ucb: number;
}

/** What was seen when an action was tried. */
export interface Observation {
  /** [dimension] */
  readonly context: Float32Array;
  readonly actionIndex: number;
  /** In 0..1. */
  readonly reward: number;
}

/** What one update did. */
export interface UpdateReport {
  /** Mean squared error of the predictions for the tried actions, before the step. */
  readonly loss: number;
  /** Norm of the gradient before clipping. */
  readonly gradientNorm: number;
}

/** The numbers that steer one update. */
export interface LearningOptions {
  /** Learning rate, > 0. */
  readonly lr: number;
  /** Bound of the global gradient norm, > 0. */
  readonly maxGradNorm: number;
}

/** A contextual bandit: it chooses an action for a context and learns from rewards. Deterministic; not thread-safe. */
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
  select(contexts: readonly Float32Array[], beta: number | readonly number[]): Choice[];
  /** Learns from a batch, in its order. Throws as `select` does, with nothing changed. */
  update(batch: readonly Observation[], options: LearningOptions): UpdateReport;
  /** How often each action was learned from. */
  actionCounts(): number[];
  /** A copy of all that was learned. */
  state(): PolicyState;
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
}

/** An algorithm: how its agents come to be. */
export interface AgentType {
  readonly name: string;
  initial(options: InitialOptions): Agent;
  /** The agent of a stored state. Throws DATA_LOSS naming the tensor that is missing or cannot be right. */
  restore(state: PolicyState): Agent;
}
