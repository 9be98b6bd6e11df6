import { A2sfError } from '@a2sf/errors';

/** What one cache gave. */
export interface Outcome {
  readonly text: string;
  /** ln P of each token of the full cache's text with this cache; empty unless a reward looks at them. */
  readonly logProbs: readonly number[];
}

/** What of a prompt its answers are compared with. */
export interface Reference {
  readonly id: string;
  readonly dataset: string;
  readonly answers: readonly string[];
  readonly allClasses: readonly string[];
}

/** A reward: which scoring an outcome is put to. `RewardRule` of the training library is one. */
export interface Reward<Task, P extends Reference> {
  readonly name: string;
  readonly needsLogProbs: boolean;
  /** True when the full cache earns 1 whatever it writes. */
  readonly fullEarnsOne: boolean;
  task(prompt: P, outcome: Outcome, full: string): Task;
}

/** Scores texts, order kept; every score is in 0..1. */
export type Score<Task> = (tasks: readonly Task[], signal?: AbortSignal) => Promise<readonly number[]>;

/** The rewards of one prompt. */
export interface EarnedRewards {
  readonly rewards: Map<string, readonly number[]>;
  readonly fullRewards: Map<string, number>;
}

/**
 * What every outcome earns under every reward, in one batch; equal outcomes are scored once. Throws INTERNAL naming `reward`
 * for an answer that is not a score for each.
 */
export async function earnedRewards<Task, P extends Reference>(
  prompt: P,
  full: Outcome,
  outcomes: readonly Outcome[],
  { rewards, score }: { readonly rewards: readonly Reward<Task, P>[]; readonly score: Score<Task> },
  signal?: AbortSignal,
): Promise<EarnedRewards> {
  const tasks: Task[] = [];
  /** Of each reward: the index of an outcome's task. */
  const placeOf = rewards.map((reward) => {
    const places = new Map<string, number>();
    return (outcome: Outcome): number => {
      const name = reward.needsLogProbs ? `${outcome.logProbs.join(' ')}\n${outcome.text}` : outcome.text;
      const known = places.get(name);
      if (known !== undefined) return known;
      places.set(name, tasks.length);
      return tasks.push(reward.task(prompt, outcome, full.text)) - 1;
    };
  });
  const places = rewards.map((reward, r) => ({
    name: reward.name,
    row: outcomes.map(placeOf[r]!),
    full: reward.fullEarnsOne ? undefined : placeOf[r]!(full),
  }));
  const scores = tasks.length === 0 ? [] : await score(tasks, signal);
  if (scores.length !== tasks.length || !scores.every((value) => value >= 0 && value <= 1)) {
    const message = `reward: must answer ${tasks.length} scores in 0..1`;
    throw new A2sfError('INTERNAL', message, { field: 'reward', reason: 'malformed-answer' });
  }
  return {
    rewards: new Map(places.map(({ name, row }) => [name, row.map((place) => scores[place]!)])),
    fullRewards: new Map(places.map(({ name, full: place }) => [name, place === undefined ? 1 : scores[place]!])),
  };
}
