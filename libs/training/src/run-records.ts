import type { EvaluationLine } from './evaluation.js';
import type { EvaluationRewardsFile } from './evaluation-rewards.js';
import type { StageSeconds } from './stage-clock.js';

/** A line of progress.jsonl: one iteration. */
export interface ProgressLine {
  readonly iteration: number;
  /** Mean reward of the iteration's episodes; one that kept everything counts 1. */
  readonly avg_reward: number;
  /** Mean squared error before the step; null when the iteration had nothing to learn from. */
  readonly prediction_loss: number | null;
  /** The loss that was minimised: the prediction loss, for there is no other term. */
  readonly total_loss: number | null;
  /** The chosen actions, in episode order. */
  readonly actions_a: readonly number[];
  readonly actions_b: readonly number[];
  /** Episodes whose prompt fits the budget. */
  readonly kept_all: number;
  /** Seconds per stage, wall time. */
  readonly seconds: StageSeconds;
}

/** Where a run leaves its lines and checkpoints; each is on disk in whole or not at all. */
export interface RunRecords {
  appendProgress(line: ProgressLine): Promise<void>;
  appendEvaluation(line: EvaluationLine): Promise<void>;
  /** All evaluations of the run so far, in the order they were made. */
  evaluations(): readonly EvaluationLine[];
  readonly evaluationRewards: EvaluationRewardsFile;
  /** Writes policy_<iteration>.safetensors and drops those that need not be kept. */
  writeCheckpoint(iteration: number, bytes: Uint8Array): Promise<void>;
}
