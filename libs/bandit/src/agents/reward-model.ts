import { A2sfError } from '@a2sf/errors';
import type { ActionSpace } from '@a2sf/kv-compression';
import type { Evaluation, FullObservation, LearningOptions, Observation, UpdateReport } from '../agent.js';
import type { StateReader, StateTensor } from '../policy-state.js';
import type { Health } from './covariance.js';
import type { MatrixSteps } from './matrix-steps.js';
import type { Lease } from './symmetric-inverse.js';

/** What is learned of the rewards, apart from how an action is chosen. Its inputs are checked before. */
export interface RewardModel {
  readonly space: ActionSpace;
  readonly dimension: number;
  /** Width of the features that it learns on; 0 where it reads no context. */
  readonly hidden: number;
  /** Optimizer steps taken. */
  readonly steps: number;
  /** Observations of each action. */
  readonly counts: readonly number[];
  evaluate(contexts: readonly Float32Array[], keys: readonly (string | undefined)[]): Evaluation;
  update(batch: readonly Observation[], options: LearningOptions): UpdateReport;
  updateFull(batch: readonly FullObservation[], options: LearningOptions): UpdateReport;
  /** The tensors of a state: copies, or, while `lease` is held, such as are read from the model as it is now. */
  tensors(lease?: Lease): [string, StateTensor][];
  /** What the updates since the last call did to its matrices; undefined where steps do not tell it. */
  takeSteps?(): MatrixSteps | undefined;
  /** What serving needs beside the matrices. */
  servedTensors?(): [string, StateTensor][];
  /** Becomes the model whose served tensors and steps these are; throws with nothing changed. */
  follow?(reader: StateReader, steps: MatrixSteps): void;
}

/** The report of an update, with what the covariances told. */
export function reportOf(loss: number, gradientNorm: number, { drift, rebuilt }: Health): UpdateReport {
  return {
    loss,
    gradientNorm,
    ...(drift === undefined ? {} : { drift }),
    ...(rebuilt === 0 ? {} : { rebuilt }),
  };
}

/** FAILED_PRECONDITION: an agent that was restored for choosing only. */
export function readOnlyAgent(): A2sfError {
  return new A2sfError('FAILED_PRECONDITION', 'this agent was restored to choose only', { reason: 'read-only-agent' });
}
