import { bootstrapMean, type MeanInterval } from '@a2sf/bandit';
import type { ActionSpace } from '@a2sf/kv-compression';
import { baselines, type BaselineName } from './baselines.js';
import type { EvaluationRewards } from './evaluation-rewards.js';
import type { Peers } from './peers.js';
import type { PromptMemory } from './prompt-memory.js';

/** A baseline as evaluation.jsonl holds it. */
export interface BaselineInterval extends MeanInterval {
  /** The action, where the baseline always takes the same one. */
  readonly a?: number;
  readonly b?: number;
}

/** A line of evaluation.jsonl. */
export interface EvaluationLine {
  readonly iteration: number;
  /** Mean reward of the greedy policy. */
  readonly eval_avg_reward: number;
  /** Bootstrap 95 % interval of that mean. */
  readonly eval_low: number;
  readonly eval_high: number;
  /** One entry per prompt that was evaluated. */
  readonly eval_rewards: readonly number[];
  readonly eval_actions_a: readonly number[];
  readonly eval_actions_b: readonly number[];
  /** The rewards that the policy expected of its choices; absent in lines of older versions. */
  readonly eval_predicted?: readonly number[];
  /** On the same prompts; a baseline whose action is not in the space is absent. */
  readonly baselines: Readonly<Partial<Record<BaselineName, BaselineInterval>>>;
  /** Prompts that were left out because they fit the budget. */
  readonly kept_all: number;
}

/**
 * The greedy policy on prompts whose rewards are known for every action: each evaluation is a look-up. Intervals are
 * percentile bootstraps over the prompts, seeded, so that the same rewards give the same line.
 */
export class Evaluation {
  readonly #space: ActionSpace;
  readonly #memory: PromptMemory;
  readonly #seed: number;
  /** Index into the memory and rewards of each prompt that does not fit the budget. */
  readonly #rows: readonly { readonly index: number; readonly rewards: EvaluationRewards }[];
  readonly #baselines: Partial<Record<BaselineName, BaselineInterval>> = {};
  /** Prompts that fit the budget; no action can change anything on them. */
  readonly keptAll: number;

  constructor(rewards: readonly EvaluationRewards[], memory: PromptMemory, space: ActionSpace, seed: number) {
    this.#space = space;
    this.#memory = memory;
    this.#seed = seed;
    this.#rows = rewards.flatMap((rewards, index) => (rewards.kept_all ? [] : [{ index, rewards }]));
    this.keptAll = rewards.length - this.#rows.length;
    if (this.#rows.length === 0) return;
    const found = baselines(
      this.#rows.map((row) => row.rewards),
      space,
    );
    for (const [name, { rewards, actionIndex }] of found) {
      const action = actionIndex === undefined ? {} : space.at(actionIndex);
      this.#baselines[name] = { ...bootstrapMean(rewards, { seed }), ...action };
    }
  }

  /** Prompts that are evaluated. */
  get size(): number {
    return this.#rows.length;
  }

  /** Evaluates the policy as it stands; undefined when every prompt fits the budget. */
  async run(iteration: number, peers: Peers, signal?: AbortSignal): Promise<EvaluationLine | undefined> {
    if (this.#rows.length === 0) return undefined;
    const embeddings = await this.#memory.embeddings(
      this.#rows.map((row) => row.index),
      peers,
      signal,
    );
    const choices = await peers.selectActions(embeddings, { explore: false }, signal);
    const rewards = this.#rows.map((row, i) => row.rewards.rewards[choices[i]!.actionIndex]!);
    const interval = bootstrapMean(rewards, { seed: this.#seed });
    const actions = choices.map((choice) => this.#space.at(choice.actionIndex));
    return {
      iteration,
      eval_avg_reward: interval.mean,
      eval_low: interval.low,
      eval_high: interval.high,
      eval_rewards: rewards,
      eval_actions_a: actions.map((action) => action.a),
      eval_actions_b: actions.map((action) => action.b),
      eval_predicted: choices.map((choice) => choice.predictedReward),
      baselines: this.#baselines,
      kept_all: this.keptAll,
    };
  }
}
