import { A2sfError, isA2sfError } from '@a2sf/errors';
import { scorerNamed } from '@a2sf/rewards';
import type { Peers, ScoreTask, SweptText } from './peers.js';
import type { Prompt } from './prompt.js';

/**
 * What a reward compares. By a named metric: the compressed cache's text against the full cache's text of the same
 * prompt, so that the full cache earns 1 by definition. By `log_prob`, alone or in a mix: also the probability that the
 * compressed cache gives the full cache's text; the full cache itself is not sure of its text, so it earns what it earns.
 * By the dataset's own metric (`dataset`): the text against the row's answers; the full cache earns what it earns.
 * What is scored is the gross reward; with a `keyPrice` it is learnt net of what the kept keys cost (`netReward`).
 */
export class RewardRule {
  /** Name as the flag spells it: a metric, or `dataset`. */
  readonly name: string;
  /** True when the full cache's text is to be scored under every cache. */
  readonly needsLogProbs: boolean;
  /** Reward that keeping every key of a prompt costs, in 0..1; 0: keys cost nothing. */
  readonly keyPrice: number;

  constructor(name: string, keyPrice = 0) {
    if (!(keyPrice >= 0 && keyPrice <= 1)) throw A2sfError.invalid('key_price', `must be in 0..1, got ${keyPrice}`);
    this.keyPrice = keyPrice;
    this.name = name === '' ? 'dataset' : name;
    this.needsLogProbs = this.againstFull && looksAtLogProbs(name);
  }

  /** True when texts are compared with the full cache's text. */
  get againstFull(): boolean {
    return this.name !== 'dataset';
  }

  /** True when the full cache earns 1 whatever it writes, so that it need not be scored. */
  get fullEarnsOne(): boolean {
    return this.againstFull && !this.needsLogProbs;
  }

  /** What the reward is, for people. */
  get description(): string {
    if (this.keyPrice === 0) return this.#gross;
    return `${this.#gross}, less ${this.keyPrice} x the share of the prompt's keys that is kept (0 at least)`;
  }

  get #gross(): string {
    if (this.name === 'log_prob') return "log_prob: the probability of the full cache's text";
    return this.againstFull
      ? `${this.name} of the text against the full cache's text`
      : "the dataset's own metric against the answers";
  }

  /** The scoring of what one cache gave; `full` is the full cache's text, needed when texts are compared with it. */
  task(prompt: Prompt, { text, logProbs }: SweptText, full: string | undefined): ScoreTask {
    if (this.againstFull && full === undefined)
      throw new A2sfError('INTERNAL', 'full: the text of the full cache is missing');
    return {
      metric: this.againstFull ? this.name : '',
      prediction: text,
      references: this.againstFull ? [full!] : prompt.answers,
      allClasses: prompt.allClasses,
      dataset: prompt.dataset,
      logProbs: this.needsLogProbs ? logProbs : [],
    };
  }

  /**
   * Scores one item, so that an unknown metric, a dataset without metric or an encoder that does not load is told
   * before the first episode. Throws INVALID_ARGUMENT naming `reward`, or the row that has no answers.
   */
  async check(peers: Peers, prompts: readonly Prompt[], signal?: AbortSignal): Promise<void> {
    const unanswered = this.againstFull ? undefined : prompts.find((prompt) => prompt.answers.length === 0);
    if (unanswered !== undefined) {
      throw A2sfError.invalid(
        'reward',
        `dataset needs answers, row ${unanswered.id} has none; choose a metric such as rouge_l`,
      );
    }
    const samples = new Map(prompts.map((prompt) => [this.againstFull ? '' : prompt.dataset, prompt]));
    const certain = { text: 'text', logProbs: [0] };
    const tasks = [...samples.values()].map((prompt) => this.task(prompt, certain, certain.text));
    try {
      if (tasks.length > 0) await peers.score(tasks, signal);
    } catch (error) {
      // The service names a field of a request that the user never saw: the metric is the flag itself, the rest a row's.
      if (!isA2sfError(error) || error.code !== 'INVALID_ARGUMENT') throw error;
      throw A2sfError.invalid('reward', error.message.replace(/^items\[\d+\]\.(metric: )?/, ''), error.reason);
    }
  }
}

/** What a metric needs that is not known here is told by the reward service, which may know more of them. */
function looksAtLogProbs(name: string): boolean {
  try {
    return scorerNamed(name, 'reward').needsLogProbs;
  } catch (error) {
    if (isA2sfError(error)) return false;
    throw error;
  }
}
