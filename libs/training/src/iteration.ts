import { createHash } from 'node:crypto';
import { maxKeyLength, regret } from '@a2sf/bandit';
import { mean } from './baselines.js';
import { chooseInParts } from './choices.js';
import type { Earned, Settle } from './episodes.js';
import type { KnownPrompts } from './known-prompts.js';
import type { Choice, Experience, PolicyPeer } from './peers.js';
import type { StageClock } from './stage-clock.js';

/** What an episode teaches: the reward of the chosen action, or those of all actions. */
export const feedbacks = ['bandit', 'full'] as const;
export type Feedback = (typeof feedbacks)[number];

/** What an iteration needs beside its number. */
export interface IterationContext {
  readonly policy: PolicyPeer;
  readonly prompts: KnownPrompts;
  readonly settle: Settle;
  readonly feedback: Feedback;
  readonly episodesPerUpdate: number;
  /** Weight of the exploration bonus. */
  readonly beta: number;
  /** Name of the run in update and experience ids; the same for a resumed run. */
  readonly runId: string;
  /** Prompt index of an episode number, from 0. */
  readonly promptOf: (episode: number) => number;
}

/** One prompt, one chosen action and what it earned. */
export interface Episode extends Earned {
  readonly promptIndex: number;
  readonly choice: Choice;
}

/** The episodes of one iteration and what is to be learnt from them. */
export interface Batch {
  readonly iteration: number;
  readonly episodes: readonly Episode[];
  /** In episode order; episodes that kept everything are absent. */
  readonly experiences: readonly Experience[];
  /** Mean reward of all episodes. */
  readonly avgReward: number;
  /** The same before the price of the kept keys; absent where they cost nothing. */
  readonly avgGross?: number;
  /**
   * Mean over all episodes of max_a r_a - r_greedy, by the policy before its update; an episode that kept everything counts
   * 0. Absent where the rewards of all actions are not known.
   */
  readonly regret?: number;
}

/** Episodes that are chosen for at a time while others are tried already: exploring reads the matrices of all actions. */
const chosenAtOnce = 32;

/** Name of an iteration's update, the same when the iteration is run again. */
export function updateId(runId: string, iteration: number): string {
  return `${runId}/${iteration}`;
}

/** Indices of the prompts of iteration i = 1, 2, ...: those of the episodes (i - 1) * E .. i * E - 1. */
export function episodePrompts(iteration: number, count: number, promptOf: (episode: number) => number): number[] {
  return Array.from({ length: count }, (_, k) => promptOf((iteration - 1) * count + k));
}

/** What the policy is told of a prompt's group: the dataset's name, or its hash where the name is too long for that. */
export function groupOf(dataset: string): string {
  return dataset.length <= maxKeyLength ? dataset : createHash('sha256').update(dataset).digest('hex');
}

/**
 * Runs the episodes of iteration i = 1, 2, ..., all chosen by the policy as it stands. Sweeps
 * finish in any order; experiences are in episode order, so that the policy learns the same whatever the number of
 * generators and their speed. The first failure, or `signal`, abandons the iteration; the policy is unchanged by it.
 */
export async function collectBatch(
  iteration: number,
  context: IterationContext,
  clock: StageClock,
  signal?: AbortSignal,
): Promise<Batch> {
  const { policy, prompts, episodesPerUpdate: count, beta } = context;
  const indices = episodePrompts(iteration, count, context.promptOf);
  const embeddings = await clock.time('encode', () => prompts.embeddings(indices, signal));
  const keys = indices.map((index) => groupOf(prompts.dataset(index)));
  // Where the rewards of all actions are there already, all are chosen for at once, and the greedy choices are asked for
  // beside: the policy reads one request while it works on the other.
  const { chosen, greedy } = await clock.time('select', async () => {
    const chosen = chooseInParts(count, prompts.complete ? count : chosenAtOnce, (from, to) => {
      const mode = { explore: true, beta, keys: keys.slice(from, to) };
      return policy.selectActions(embeddings.slice(from, to), mode, signal);
    });
    const [greedy] = await Promise.all([
      prompts.complete ? policy.selectActions(embeddings, { explore: false, keys }, signal) : undefined,
      chosen.first,
    ]);
    return { chosen, greedy };
  });
  const earned = await context.settle(indices, chosen, clock, signal);
  const choices = await chosen.all();
  const episodes = indices.map((promptIndex, k): Episode => ({ promptIndex, choice: choices[k]!, ...earned[k]! }));
  const experiences = episodes.flatMap(({ keptAll, choice, reward, rewards }, k): Experience[] => {
    if (keptAll) return [];
    const id = `${updateId(context.runId, iteration)}/${k}`;
    const { actionIndex } = choice;
    const full = context.feedback === 'full' && rewards !== undefined ? { rewards } : {};
    return [{ id, embedding: embeddings[k]!, actionIndex, reward, key: keys[k]!, ...full }];
  });
  const askGreedy = (asked: readonly number[]): Promise<Choice[]> => {
    if (greedy !== undefined) return Promise.resolve(asked.map((k) => greedy[k]!));
    const mode = { explore: false, keys: asked.map((k) => keys[k]!) };
    return policy.selectActions(
      asked.map((k) => embeddings[k]!),
      mode,
      signal,
    );
  };
  const lost = await clock.time('select', () => greedyRegret(earned, askGreedy));
  return {
    iteration,
    episodes,
    experiences,
    avgReward: mean(earned.map(({ reward }) => reward)),
    ...(earned.some(({ gross }) => gross !== undefined)
      ? { avgGross: mean(earned.map(({ reward, gross = reward }) => gross)) }
      : {}),
    ...(lost === undefined ? {} : { regret: lost }),
  };
}

/** Undefined when an episode's rewards are not known of all actions. `askGreedy`: the greedy choices of some episodes. */
async function greedyRegret(
  earned: readonly Earned[],
  askGreedy: (asked: readonly number[]) => Promise<Choice[]>,
): Promise<number | undefined> {
  if (earned.some(({ keptAll, rewards }) => !keptAll && rewards === undefined)) return undefined;
  const asked = earned.flatMap(({ rewards }, k) => (rewards === undefined ? [] : [{ rewards, k }]));
  if (asked.length === 0) return undefined;
  const greedy = await askGreedy(asked.map(({ k }) => k));
  const lost = asked.reduce((sum, { rewards }, i) => sum + regret(rewards, greedy[i]!.actionIndex), 0);
  return lost / earned.length;
}
