import { createHash } from 'node:crypto';
import type { ActionSpace } from '@a2sf/kv-compression';
import { allOrAbort } from './all-or-abort.js';
import type { RewardRow } from './baselines.js';
import { keepsAll, sweepTask, type GenerationSettings } from './iteration.js';
import type { Peers, SweptText } from './peers.js';
import type { Prompt } from './prompt.js';
import type { PromptMemory } from './prompt-memory.js';
import type { RewardRule } from './reward-rule.js';

/** What every action earns on one evaluation prompt, as a line of evaluation_rewards.jsonl. */
export interface EvaluationRewards extends RewardRow {
  /** Hash of all that the numbers depend on beside the prompt. */
  readonly key: string;
  readonly id: string;
  /** Place of the prompt in the evaluation set; absent in lines of older versions. */
  readonly index?: number;
  /** Name of the prompt's dataset, empty when its row names none; absent in lines of older versions. */
  readonly dataset?: string;
  /** SHA-256 of the prompt's text. */
  readonly hash: string;
  readonly prompt_tokens: number;
  /** True when the prompt fits the budget; `rewards` is then empty. */
  readonly kept_all: boolean;
}

/** What the rewards of evaluation prompts depend on. */
export interface EvaluationContext {
  readonly peers: Peers;
  readonly memory: PromptMemory;
  readonly reward: RewardRule;
  readonly generation: GenerationSettings;
  readonly space: ActionSpace;
  /** Identity of the language model. */
  readonly modelId: string;
}

/** Where rewards that were computed before are kept. */
export interface EvaluationRewardsFile {
  read(): readonly EvaluationRewards[];
  append(line: EvaluationRewards): Promise<void>;
}

/**
 * The rewards of all actions on every prompt of the set, in its order, from one sweep each. Rewards that the file holds
 * are taken from it; the others are added to it as they come, so that an interrupted computation is not lost.
 */
export async function evaluationRewards(
  context: EvaluationContext,
  file: EvaluationRewardsFile,
  onProgress: (done: number, of: number) => void,
  signal?: AbortSignal,
): Promise<EvaluationRewards[]> {
  const key = keyOf(context);
  const kept = new Map(file.read().flatMap((line) => (line.key === key ? [[line.hash, line]] : [])));
  const prompts = Array.from({ length: context.memory.size }, (_, index) => context.memory.prompt(index));
  let done = 0;
  return allOrAbort(
    prompts,
    async (prompt, either, index) => {
      let line = kept.get(prompt.hash);
      if (line === undefined) {
        line = { key, index, ...(await sweepPrompt(prompt, context, either)) };
        await file.append(line);
      }
      onProgress(++done, prompts.length);
      return line;
    },
    signal,
  );
}

async function sweepPrompt(
  prompt: Prompt,
  { peers, reward, generation, space }: EvaluationContext,
  signal: AbortSignal,
): Promise<Omit<EvaluationRewards, 'key'>> {
  const task = sweepTask(prompt, space.actions(), { includeFull: true, reward, generation });
  const outcome = await peers.sweep(task, signal);
  const { id, dataset, hash } = prompt;
  const about = { id, dataset, hash, prompt_tokens: outcome.promptTokens };
  if (keepsAll(outcome, generation)) return { ...about, kept_all: true, full: 1, rewards: [] };
  const full = outcome.full!;
  // Actions that keep the same positions give the same; each outcome is scored once.
  const outcomes = reward.fullEarnsOne ? outcome.texts : [...outcome.texts, full];
  const different = new Map(outcomes.map((swept) => [nameOf(swept), swept]));
  const scores = await peers.score(
    [...different.values()].map((swept) => reward.task(prompt, swept, full.text)),
    signal,
  );
  const scoreOf = new Map([...different.keys()].map((name, i) => [name, scores[i]!]));
  return {
    ...about,
    kept_all: false,
    full: reward.fullEarnsOne ? 1 : scoreOf.get(nameOf(full))!,
    rewards: outcome.texts.map((swept) => scoreOf.get(nameOf(swept))!),
  };
}

/** Equal for equal texts with equal probabilities. */
function nameOf({ text, logProbs }: SweptText): string {
  return `${logProbs.join(' ')}\n${text}`;
}

function keyOf({ reward, generation, space, modelId }: EvaluationContext): string {
  const { aValues, bValues } = space;
  const text = JSON.stringify([modelId, reward.name, generation, aValues, bValues]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
