import { bootstrapMean, calibration, type MeanInterval } from '@a2sf/bandit';
import type { ActionSpace } from '@a2sf/kv-compression';
import { budgetsOf } from './action-budgets.js';
import { baselineNames, baselines, mean, type Baseline, type BaselineName, type RewardRow } from './baselines.js';
import { grouped } from './grouped.js';
import { groupOf } from './iteration.js';
import { keptShare } from './key-price.js';
import type { KnownPrompts } from './known-prompts.js';
import type { Choice, PolicyPeer } from './peers.js';
import type { RewardLine } from './reward-lines.js';

/** A baseline as evaluation.jsonl holds it. */
export interface BaselineInterval extends MeanInterval {
  /** The action, where the baseline always takes the same one. */
  readonly a?: number;
  readonly b?: number;
  readonly budget?: number;
}

/** Something told of each baseline. */
export type ByBaseline<T> = Readonly<Partial<Record<BaselineName, T>>>;

/** The greedy policy on the prompts of one dataset. */
export interface DatasetEvaluation extends MeanInterval {
  readonly prompts: number;
  readonly baselines: ByBaseline<BaselineInterval>;
  readonly differences: ByBaseline<MeanInterval>;
}

/** What the policy had expected, and how that held. */
type CalibrationFields = Pick<EvaluationLine, 'eval_predicted' | 'eval_calibration_error' | 'eval_bound_violations'>;

function calibrated(choices: readonly Choice[], rewards: readonly number[]): CalibrationFields {
  const predicted = choices.map((choice) => choice.predictedReward);
  const isBounded = choices.every(({ lowerBound }) => lowerBound !== undefined);
  const violated = choices.filter(({ lowerBound }, i) => rewards[i]! < lowerBound!).length;
  return {
    eval_predicted: predicted,
    eval_calibration_error: calibration(predicted, rewards)!.error,
    ...(isBounded ? { eval_bound_violations: violated / choices.length } : {}),
  };
}

/** A line of evaluation.jsonl. */
export interface EvaluationLine {
  readonly iteration: number;
  /** Mean reward of the greedy policy. */
  readonly eval_avg_reward: number;
  /** The same before the price of the kept keys; absent where they cost nothing. */
  readonly eval_avg_gross_reward?: number;
  /** Mean share of a prompt's keys that its choice keeps; absent where the action space has no budgets. */
  readonly eval_avg_kept_share?: number;
  /** Bootstrap 95 % interval of that mean. */
  readonly eval_low: number;
  readonly eval_high: number;
  /** One entry per prompt that was evaluated. */
  readonly eval_rewards: readonly number[];
  readonly eval_actions_a: readonly number[];
  readonly eval_actions_b: readonly number[];
  /** Absent where the action space has no budgets. */
  readonly eval_actions_budget?: readonly number[];
  /** The rewards that the policy expected of its choices; absent in lines of older versions. */
  readonly eval_predicted?: readonly number[];
  /** How far off they were: the expected calibration error. Absent in lines of older versions. */
  readonly eval_calibration_error?: number;
  /**
   * Share of the prompts that earned less than the policy's lower bound for their choice, which a server with a quality
   * floor relies on. Absent where the policy tells no bound.
   */
  readonly eval_bound_violations?: number;
  /** On the same prompts; a baseline whose action is not in the space is absent. */
  readonly baselines: ByBaseline<BaselineInterval>;
  /**
   * Policy minus baseline on the same prompts: mean of the paired differences and its bootstrap 95 % interval; one that
   * does not hold 0 tells them apart. Absent in lines of older versions.
   */
  readonly differences?: ByBaseline<MeanInterval>;
  /** The same of each dataset; a best fixed action is that of all prompts. Absent in lines of older versions. */
  readonly datasets?: Readonly<Record<string, DatasetEvaluation>>;
  /** Prompts that were left out because they fit the budget. */
  readonly kept_all: number;
}

interface EvaluatedRow {
  /** Index of the prompt in its set. */
  readonly index: number;
  readonly line: RewardLine;
}

/** Baselines that do not change from one evaluation to the next, and their intervals. */
interface Standing {
  readonly found: ReadonlyMap<BaselineName, Baseline>;
  readonly intervals: ByBaseline<BaselineInterval>;
}

/**
 * The greedy policy on prompts whose rewards are known for every action: each evaluation is a look-up. Intervals are
 * percentile bootstraps over the prompts, seeded, so that the same rewards give the same line.
 */
export class Evaluation {
  readonly #space: ActionSpace;
  readonly #prompts: KnownPrompts;
  readonly #seed: number;
  /** Each prompt that does not fit the budget. */
  readonly #rows: readonly EvaluatedRow[];
  /** Places in `#rows` of the prompts of each dataset. */
  readonly #datasets: ReadonlyMap<string, readonly number[]>;
  /** Prompts that fit the budget; no action can change anything on them. */
  readonly keptAll: number;
  /** Of the training rows of the last evaluation: they are the same ones again as soon as all prompts were seen. */
  #standing:
    { readonly train: number; readonly all: Standing; readonly datasets: ReadonlyMap<string, Standing> } | undefined;

  /** @param lines the rewards of all prompts, in their order. */
  constructor(lines: readonly RewardLine[], prompts: KnownPrompts, space: ActionSpace, seed: number) {
    this.#space = space;
    this.#prompts = prompts;
    this.#seed = seed;
    this.#rows = lines.flatMap((line, index) => (line.kept_all ? [] : [{ index, line }]));
    this.keptAll = lines.length - this.#rows.length;
    const places = this.#rows.map((_, place) => place);
    this.#datasets = grouped(places, (place) => prompts.dataset(this.#rows[place]!.index));
  }

  /** Prompts that are evaluated. */
  get size(): number {
    return this.#rows.length;
  }

  /**
   * Evaluates the policy as it stands; undefined when every prompt fits the budget. `train`: rewards of training prompts
   * for the baselines that are chosen on them; from one evaluation to the next it only grows.
   */
  async run(
    iteration: number,
    policy: Pick<PolicyPeer, 'selectActions'>,
    train: readonly RewardRow[] = [],
    signal?: AbortSignal,
  ): Promise<EvaluationLine | undefined> {
    if (this.#rows.length === 0) return undefined;
    const indices = this.#rows.map((row) => row.index);
    const embeddings = await this.#prompts.embeddings(indices, signal);
    const keys = indices.map((index) => groupOf(this.#prompts.dataset(index)));
    const choices = await policy.selectActions(embeddings, { explore: false, withLowerBound: true, keys }, signal);
    const rewards = this.#rows.map(({ line }, i) => line.rewards[choices[i]!.actionIndex]!);
    const actions = choices.map((choice) => this.#space.at(choice.actionIndex));
    const { all, datasets } = this.#standingOf(train);
    const interval = this.#mean(rewards);
    return {
      iteration,
      eval_avg_reward: interval.mean,
      ...this.#costs(choices),
      eval_low: interval.low,
      eval_high: interval.high,
      eval_rewards: rewards,
      eval_actions_a: actions.map((action) => action.a),
      eval_actions_b: actions.map((action) => action.b),
      ...budgetsOf('eval_actions_budget', actions),
      ...calibrated(choices, rewards),
      baselines: all.intervals,
      differences: this.#differences(rewards, all),
      datasets: Object.fromEntries(
        [...this.#datasets].map(([name, places]) => {
          const own = places.map((place) => rewards[place]!);
          const standing = datasets.get(name)!;
          const differences = this.#differences(own, standing);
          return [name, { prompts: own.length, ...this.#mean(own), baselines: standing.intervals, differences }];
        }),
      ),
      kept_all: this.keptAll,
    };
  }

  /** What the choices earn before the price, and what they keep, where either is told. */
  #costs(choices: readonly Choice[]): Pick<EvaluationLine, 'eval_avg_gross_reward' | 'eval_avg_kept_share'> {
    const gross = this.#rows.flatMap(({ line }, i) => line.gross_rewards?.[choices[i]!.actionIndex] ?? []);
    const hasBudgets = this.#space.budgets.length > 0;
    const shares = this.#rows.map(({ line }, i) => {
      return keptShare(this.#space.at(choices[i]!.actionIndex), line.prompt_tokens, line.prompt_tokens);
    });
    return {
      ...(gross.length === 0 ? {} : { eval_avg_gross_reward: mean(gross) }),
      ...(hasBudgets ? { eval_avg_kept_share: mean(shares) } : {}),
    };
  }

  #standingOf(train: readonly RewardRow[]) {
    if (this.#standing?.train === train.length) return this.#standing;
    const rows = this.#rows.map(({ index, line }) => ({ ...line, dataset: this.#prompts.dataset(index) }));
    const found = baselines(rows, this.#space, train);
    const every = rows.map((_, place) => place);
    const datasets = new Map([...this.#datasets].map(([name, places]) => [name, this.#standingAt(places, found)]));
    return (this.#standing = { train: train.length, all: this.#standingAt(every, found), datasets });
  }

  #standingAt(places: readonly number[], baselines: ReadonlyMap<BaselineName, Baseline>): Standing {
    const found = new Map<BaselineName, Baseline>();
    const intervals: Partial<Record<BaselineName, BaselineInterval>> = {};
    for (const [name, { rewards, actionIndex }] of baselines) {
      const own = places.map((place) => rewards[place]!);
      found.set(name, { rewards: own });
      const action = actionIndex === undefined ? {} : this.#space.at(actionIndex);
      intervals[name] = { ...this.#mean(own), ...action };
    }
    return { found, intervals };
  }

  /** Policy minus baseline, prompt by prompt. */
  #differences(rewards: readonly number[], { found }: Standing): ByBaseline<MeanInterval> {
    const differences: Partial<Record<BaselineName, MeanInterval>> = {};
    for (const name of baselineNames) {
      const other = found.get(name)?.rewards;
      if (other !== undefined) differences[name] = this.#mean(rewards.map((reward, i) => reward - other[i]!));
    }
    return differences;
  }

  #mean(values: readonly number[]): MeanInterval {
    return bootstrapMean(values, { seed: this.#seed });
  }
}
