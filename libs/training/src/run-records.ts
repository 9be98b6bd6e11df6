import type { EvaluationLine } from './evaluation.js';
import type { RewardLines } from './reward-lines.js';
import type { StageSeconds } from './stage-clock.js';

/** A line of progress.jsonl: one iteration. */
export interface ProgressLine {
  readonly iteration: number;
  /** Mean reward of the iteration's episodes; one that kept everything counts 1. */
  readonly avg_reward: number;
  /** The same before the price of the kept keys; absent where they cost nothing. */
  readonly avg_gross_reward?: number;
  /** Mean squared error before the step; null when the iteration had nothing to learn from. */
  readonly prediction_loss: number | null;
  /** The loss that was minimised: the prediction loss, for there is no other term. */
  readonly total_loss: number | null;
  /** The chosen actions, in episode order. */
  readonly actions_a: readonly number[];
  readonly actions_b: readonly number[];
  /** Their budgets; absent where the action space has none. */
  readonly actions_budget?: readonly number[];
  /**
   * Mean over the episodes of max_a r_a - r_greedy, by the policy before the update; absent where the rewards of all actions
   * are not known, and in lines of older versions.
   */
  readonly regret?: number;
  /** Episodes whose prompt fits the budget. */
  readonly kept_all: number;
  /** Seconds per stage, wall time. */
  readonly seconds: StageSeconds;
}

/** The checkpoint whose policy earned most in evaluation, the earliest on ties. */
export interface BestCheckpoint {
  readonly iteration: number;
  /** Name of its file in the run's folder. */
  readonly file: string;
  /** Mean reward of its greedy policy. */
  readonly reward: number;
}

/** Where a run leaves its lines and checkpoints; each is on disk in whole or not at all. */
export interface RunRecords {
  appendProgress(line: ProgressLine): Promise<void>;
  appendEvaluation(line: EvaluationLine): Promise<void>;
  /** All evaluations of the run so far, in the order they were made. */
  evaluations(): readonly EvaluationLine[];
  /** Rewards of all actions on the evaluation prompts, and on training prompts. */
  readonly evaluationRewards: RewardLines;
  readonly trainRewards: RewardLines;
  /** Writes policy_<iteration>.safetensors and drops those that need not be kept. */
  writeCheckpoint(iteration: number, bytes: Uint8Array): Promise<void>;
  /** The best checkpoint that is kept. */
  best(): Promise<BestCheckpoint | undefined>;
}
