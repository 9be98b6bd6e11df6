import type { Action } from '@a2sf/kv-compression';
import { inSpan } from '@a2sf/observability';
import { allOrAbort } from './all-or-abort.js';
import type { Choices } from './choices.js';
import { keepsAll, sweepTask, type GenerationSettings } from './generation.js';
import { keptShare, netReward } from './key-price.js';
import type { KnownPrompts } from './known-prompts.js';
import type { Peers, SweptText } from './peers.js';
import type { PromptMemory } from './prompt-memory.js';
import type { RewardRule } from './reward-rule.js';
import type { StageClock } from './stage-clock.js';

/** What one episode earned. */
export interface Earned {
  /** True when the prompt fits the budget: nothing was evicted, the reward is 1 by definition and nothing is learnt. */
  readonly keptAll: boolean;
  /** Of the chosen action, in 0..1. */
  readonly reward: number;
  /** What it was before the price of the kept keys; absent where they cost nothing. */
  readonly gross?: number;
  /** Of all actions, in the order of the space, where they are known. */
  readonly rewards?: readonly number[];
}

/** How the episodes of an iteration, each a prompt and the action chosen for it, come to their rewards; order kept. */
export type Settle = (
  indices: readonly number[],
  chosen: Choices,
  clock: StageClock,
  signal?: AbortSignal,
) => Promise<Earned[]>;

/** What trying an action needs. */
export interface TryingContext {
  readonly peers: Pick<Peers, 'sweep' | 'score'>;
  readonly memory: PromptMemory;
  readonly reward: RewardRule;
  readonly generation: GenerationSettings;
}

/** Rewards from rows of all actions: r = row[chosen]. A prompt whose row is known costs nothing. */
export function lookUp(prompts: KnownPrompts): Settle {
  return async (indices, chosen, clock, signal) => {
    const rows = await clock.time('generate', () => prompts.rows(indices, signal));
    const choices = await chosen.all();
    return rows.map(({ kept_all: keptAll, full, rewards, gross_full, gross_rewards }, k) => {
      const { actionIndex } = choices[k]!;
      const gross = keptAll ? gross_full : gross_rewards?.[actionIndex];
      const before = gross === undefined ? {} : { gross };
      return keptAll
        ? { keptAll, reward: full, ...before }
        : { keptAll, reward: rewards[actionIndex]!, ...before, rewards };
    });
  };
}

/** Rewards from trying each chosen action alone: a decoding each, and one Score call for all. */
export function tryActions(context: TryingContext): Settle {
  return async (indices, chosen, clock, signal) => {
    const swept = await clock.time('generate', () =>
      allOrAbort(
        indices,
        (index, either, k) =>
          inSpan('episode', { 'a2sf.episode': k, 'a2sf.prompt': index }, async () =>
            decode(index, (await chosen.of(k)).action, context, either),
          ),
        signal,
      ),
    );
    const actions = (await chosen.all()).map(({ action }) => action);
    return clock.time('score', () => score(indices, actions, swept, context, signal));
  };
}

/** What one prompt gives under one action; undefined when the prompt fits the budget. */
async function decode(
  promptIndex: number,
  action: Action,
  { peers, memory, reward, generation }: TryingContext,
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

async function score(
  indices: readonly number[],
  actions: readonly Action[],
  swept: readonly (SweptText | undefined)[],
  { peers, memory, reward, generation }: TryingContext,
  signal?: AbortSignal,
): Promise<Earned[]> {
  const tasks = indices.flatMap((index, k) => {
    const text = swept[k];
    return text === undefined ? [] : [reward.task(memory.prompt(index), text, memory.known(index).full)];
  });
  const scores = tasks.length === 0 ? [] : await peers.score(tasks, signal);
  let next = 0;
  const { keyPrice } = reward;
  return swept.map((text, k) => {
    const keptAll = text === undefined;
    const gross = keptAll ? 1 : scores[next++]!;
    if (keyPrice === 0) return { keptAll, reward: gross };
    const share = keptShare(actions[k]!, memory.known(indices[k]!).promptTokens!, generation.budget);
    return { keptAll, reward: netReward(gross, keyPrice, keptAll ? 1 : share), gross };
  });
}
