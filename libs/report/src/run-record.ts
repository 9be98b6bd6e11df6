import type { Action } from '@a2sf/kv-compression';

/** A line of progress.jsonl: one iteration that was logged. */
export interface IterationRecord {
  readonly iteration: number;
  readonly reward: number;
  /** Undefined when there was nothing to learn from. */
  readonly loss: number | undefined;
  readonly actionsA: readonly number[];
  readonly actionsB: readonly number[];
  /** Undefined in a run whose actions name no budget. */
  readonly actionsBudget: readonly number[] | undefined;
  /** Seconds by stage, in the order of the run. */
  readonly seconds: ReadonlyMap<string, number>;
}

/** A mean with its 95 % interval. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** A baseline as an evaluation holds it. */
export interface BaselineRecord extends Interval {
  /** The action, where the baseline always takes the same one. */
  readonly action: Action | undefined;
}

/** A line of evaluation.jsonl. One entry of a list is one prompt that does not fit the budget, in the set's order. */
export interface EvaluationRecord {
  readonly iteration: number;
  readonly policy: Interval;
  readonly rewards: readonly number[];
  readonly actionsA: readonly number[];
  readonly actionsB: readonly number[];
  /** Undefined in a run whose actions name no budget. */
  readonly actionsBudget: readonly number[] | undefined;
  /** What the policy expected; undefined in a run that did not record it. */
  readonly predicted: readonly number[] | undefined;
  readonly baselines: ReadonlyMap<string, BaselineRecord>;
  /** policy - baseline, paired by prompt; empty in a run that did not record it. */
  readonly differences: ReadonlyMap<string, Interval>;
  readonly keptAll: number;
}

/** A line of evaluation_rewards.jsonl: what every action earns on one prompt. */
export interface RewardRecord {
  /** Hash of all that the rewards depend on beside the prompt. */
  readonly key: string;
  readonly id: string;
  /** SHA-256 of the prompt's text. */
  readonly hash: string;
  /** Place of the prompt in the evaluation set; undefined in a run that did not record it. */
  readonly index: number | undefined;
  /** Undefined where it was not recorded, empty for a row that names none. */
  readonly dataset: string | undefined;
  readonly promptTokens: number;
  readonly keptAll: boolean;
  readonly full: number;
  /** By action index; empty when all is kept. */
  readonly rewards: readonly number[];
}

/** A line of evaluation_texts.jsonl: what the full and the compressed cache wrote for one prompt under one action. */
export interface TextRecord {
  /** As in the prompt's reward record. */
  readonly key: string;
  readonly hash: string;
  readonly a: number;
  readonly b: number;
  readonly budget?: number;
  /** The prompt, its middle left out when it is long. */
  readonly prompt: string;
  readonly full: string;
  readonly compressed: string;
}

/** The mean scores of one group of prompts. */
export interface QualityRow {
  readonly prompts: number;
  /** By way to choose, `policy` among them. */
  readonly scores: ReadonlyMap<string, number>;
}

/** A line of quality/results.jsonl: how good the texts of one checkpoint are with one budget. */
export interface QualityRecord {
  /** Of the run's config.json when it was evaluated. */
  readonly runId: string;
  /** Name of the checkpoint's file. */
  readonly checkpoint: string;
  /** What texts are scored by; `dataset` for the metrics of the datasets, against the answers. */
  readonly metric: string;
  readonly budget: number;
  readonly all: QualityRow;
  readonly datasets: ReadonlyMap<string, QualityRow>;
}

/** All that a run folder tells. */
export interface RunRecord {
  /** Name of the folder. */
  readonly name: string;
  /** What config.json holds. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly progress: readonly IterationRecord[];
  readonly evaluations: readonly EvaluationRecord[];
  readonly rewards: readonly RewardRecord[];
  readonly texts: readonly TextRecord[];
  /** In the order they were made; empty where nobody evaluated. */
  readonly quality: readonly QualityRecord[];
}

/** The i-th action of a record. */
export function actionAt(
  { actionsA, actionsB, actionsBudget }: Pick<IterationRecord, 'actionsA' | 'actionsB' | 'actionsBudget'>,
  i: number,
): Action {
  const shape = { a: actionsA[i]!, b: actionsB[i] ?? -1 };
  return actionsBudget === undefined ? shape : { ...shape, budget: actionsBudget[i] ?? -1 };
}

/** An action for people. */
export function actionText({ a, b, budget }: Action): string {
  return `a = ${a}, b = ${b}${budget === undefined ? '' : `, budget ${budget}`}`;
}
