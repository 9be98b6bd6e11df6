import type { Action } from '@a2sf/kv-compression';
import { allOrAbort } from './all-or-abort.js';
import { mean } from './baselines.js';
import type { Choice, Embedding, Experience, Peers, SweepOutcome, SweepTask, SweptText } from './peers.js';
import type { Prompt } from './prompt.js';
import type { PromptMemory } from './prompt-memory.js';
import type { RewardRule } from './reward-rule.js';
import type { StageClock } from './stage-clock.js';

/** How a prompt is put to the generator, in training and in evaluation alike. */
export interface GenerationSettings {
  /** Keys kept per layer and KV head. */
  readonly budget: number;
  /** The last of them that are kept unconditionally; 0 means the default rule. */
  readonly recent: number;
  readonly maxNewTokens: number;
  /** Tokens of a prompt at most, before wrapping; 0 means the server's limit. */
  readonly maxPromptTokens: number;
}

/** What an iteration needs beside its number. */
export interface IterationContext {
  readonly peers: Peers;
  readonly memory: PromptMemory;
  readonly reward: RewardRule;
  readonly generation: GenerationSettings;
  readonly episodesPerUpdate: number;
  /** Weight of the exploration bonus. */
  readonly beta: number;
  /** Name of the run in update and experience ids; the same for a resumed run. */
  readonly runId: string;
  /** Prompt index of an episode number, from 0. */
  readonly promptOf: (episode: number) => number;
}

/** One prompt, one action, one reward. */
export interface Episode {
  readonly promptIndex: number;
  readonly choice: Choice;
  /** True when the prompt fits the budget: nothing was evicted, the reward is 1 by definition and nothing is learnt. */
  readonly keptAll: boolean;
  readonly reward: number;
}

/** The episodes of one iteration and what is to be learnt from them. */
export interface Batch {
  readonly iteration: number;
  readonly episodes: readonly Episode[];
  /** In episode order; episodes that kept everything are absent. */
  readonly experiences: readonly Experience[];
  /** Mean reward of all episodes. */
  readonly avgReward: number;
}

/** An episode before its reward is known. */
interface Attempt {
  readonly promptIndex: number;
  readonly choice: Choice;
  readonly embedding: Embedding;
  /** Undefined when the prompt fits the budget. */
  readonly swept: SweptText | undefined;
}

/** Name of an iteration's update, the same when the iteration is run again. */
export function updateId(runId: string, iteration: number): string {
  return `${runId}/${iteration}`;
}

/**
 * Runs the episodes (i - 1) * E .. i * E - 1 of iteration i = 1, 2, ..., all chosen by the policy as it stands. Sweeps
 * finish in any order; experiences are in episode order, so that the policy learns the same whatever the number of
 * generators and their speed. The first failure, or `signal`, abandons the iteration; the policy is unchanged by it.
 */
export async function collectBatch(
  iteration: number,
  context: IterationContext,
  clock: StageClock,
  signal?: AbortSignal,
): Promise<Batch> {
  const { peers, memory, episodesPerUpdate: count } = context;
  const indices = Array.from({ length: count }, (_, k) => context.promptOf((iteration - 1) * count + k));
  const embeddings = await clock.time('encode', () => memory.embeddings(indices, peers, signal));
  const mode = { explore: true, beta: context.beta };
  const choices = await clock.time('select', () => peers.selectActions(embeddings, mode, signal));
  const attempts = await clock.time('generate', () =>
    allOrAbort(
      indices,
      async (promptIndex, either, k): Promise<Attempt> => {
        const swept = await decode(promptIndex, choices[k]!.action, context, either);
        return { promptIndex, choice: choices[k]!, embedding: embeddings[k]!, swept };
      },
      signal,
    ),
  );
  const episodes = await clock.time('score', () => settle(attempts, context, signal));
  const experiences = attempts.flatMap(({ swept, embedding, choice }, k): Experience[] => {
    if (swept === undefined) return [];
    const id = `${updateId(context.runId, iteration)}/${k}`;
    return [{ id, embedding, actionIndex: choice.actionIndex, reward: episodes[k]!.reward }];
  });
  return { iteration, episodes, experiences, avgReward: mean(episodes.map((episode) => episode.reward)) };
}

/** What one prompt gives under one action; undefined when the prompt fits the budget. */
async function decode(
  promptIndex: number,
  action: Action,
  { peers, memory, reward, generation }: IterationContext,
  signal: AbortSignal,
): Promise<SweptText | undefined> {
  const known = memory.known(promptIndex);
  if (known.promptTokens !== undefined && known.promptTokens <= generation.budget) return undefined;
  const includeFull = reward.againstFull && known.full === undefined;
  const task = sweepTask(memory.prompt(promptIndex), [action], { includeFull, reward, generation });
  const outcome = await peers.sweep(task, signal);
  memory.learn(promptIndex, { full: outcome.full?.text, promptTokens: outcome.promptTokens });
  return keepsAll(outcome, generation) ? undefined : outcome.texts[0]!;
}

/** The rewards of all episodes from one Score call. */
async function settle(
  attempts: readonly Attempt[],
  { peers, memory, reward }: IterationContext,
  signal?: AbortSignal,
): Promise<Episode[]> {
  const tasks = attempts.flatMap(({ promptIndex, swept }) =>
    swept === undefined ? [] : [reward.task(memory.prompt(promptIndex), swept, memory.known(promptIndex).full)],
  );
  const scores = tasks.length === 0 ? [] : await peers.score(tasks, signal);
  let next = 0;
  return attempts.map(({ promptIndex, choice, swept }) => {
    const keptAll = swept === undefined;
    return { promptIndex, choice, keptAll, reward: keptAll ? 1 : scores[next++]! };
  });
}

/** How a prompt is swept beside its actions. */
interface SweepSettings {
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
  const { text, wrap } = prompt;
  return { text, wrap, actions, includeFull, scoreFull: reward.needsLogProbs, ...generation };
}

/** True when a prompt fits the budget, so that no action changes anything. */
export function keepsAll(outcome: SweepOutcome, generation: GenerationSettings): boolean {
  return outcome.promptTokens <= generation.budget;
}
