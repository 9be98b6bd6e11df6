import type { RewardRow } from './baselines.js';

/** What every action earns on one prompt, as a line of evaluation_rewards.jsonl and train_rewards.jsonl. */
export interface RewardLine extends RewardRow {
  /** Hash of all that the numbers depend on beside the prompt. */
  readonly key: string;
  readonly id: string;
  /** Place of the prompt in its set; absent in lines of older versions. */
  readonly index?: number;
  /** Name of the prompt's dataset, empty when its row names none; absent in lines of older versions. */
  readonly dataset?: string;
  /** SHA-256 of the prompt's text. */
  readonly hash: string;
  readonly prompt_tokens: number;
  /** True when the prompt fits the budget; `rewards` is then empty. */
  readonly kept_all: boolean;
  /** What `full` and `rewards` were before the price of the kept keys; absent where they cost nothing. */
  readonly gross_full?: number;
  readonly gross_rewards?: readonly number[];
}

/** Where rewards that were computed before are kept. */
export interface RewardLines {
  read(): readonly RewardLine[];
  append(line: RewardLine): Promise<void>;
}
