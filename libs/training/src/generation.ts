import type { Action } from '@a2sf/kv-compression';
import type { SweepOutcome, SweepTask } from './peers.js';
import type { Prompt } from './prompt.js';
import type { RewardRule } from './reward-rule.js';

/** How a prompt is put to the generator, in training and in evaluation alike. */
export interface GenerationSettings {
  /** Keys kept per layer and KV head; where the actions name budgets, the smallest of those. */
  readonly budget: number;
  /** The last of them that are kept unconditionally; 0 means the default rule. */
  readonly recent: number;
  readonly maxNewTokens: number;
  /** In its place for prompts of these datasets. */
  readonly maxNewTokensOf?: Readonly<Record<string, number>>;
  /** Tokens of a prompt at most, before wrapping; 0 means the server's limit. */
  readonly maxPromptTokens: number;
}

/** How a prompt is swept beside its actions. */
export interface SweepSettings {
  /** True when the full cache's text is wanted whatever the reward. */
  readonly includeFull: boolean;
  readonly reward: RewardRule;
  readonly generation: GenerationSettings;
}

/** The sweep of a prompt under some actions, with all that the reward looks at. */
export function sweepTask(
  prompt: Prompt,
  actions: readonly Action[],
  { includeFull, reward, generation }: SweepSettings,
): SweepTask {
  const { text, wrap, dataset } = prompt;
  const { maxNewTokensOf = {}, ...common } = generation;
  const maxNewTokens = Object.hasOwn(maxNewTokensOf, dataset) ? maxNewTokensOf[dataset]! : common.maxNewTokens;
  return { text, wrap, actions, includeFull, scoreFull: reward.needsLogProbs, ...common, maxNewTokens };
}

/** True when a prompt fits the smallest budget, so that no action changes anything. */
export function keepsAll({ promptTokens }: SweepOutcome, { budget }: GenerationSettings): boolean {
  return promptTokens <= budget;
}
