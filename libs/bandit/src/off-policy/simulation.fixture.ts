import { Random } from '@a2sf/random';
import { weigh, type WeighedOutcome } from './outcome.js';

/** A world of few contexts in which everything is known: value(a policy) is a finite sum. */
export interface World {
  /** Mean reward of each action in each context; rewards are 0 or 1. */
  readonly means: readonly (readonly number[])[];
  readonly logging: readonly (readonly number[])[];
  readonly target: readonly (readonly number[])[];
}

export function world(seed: number, contexts = 5, actions = 4): World {
  const random = new Random(seed);
  const rows = (row: () => number[]): number[][] => Array.from({ length: contexts }, row);
  const distribution = (): number[] => {
    const parts = Array.from({ length: actions }, () => 0.2 + random.uniform());
    const total = parts.reduce((sum, part) => sum + part, 0);
    return parts.map((part) => part / total);
  };
  const means = rows(() => Array.from({ length: actions }, () => random.uniform()));
  const greedy = means.map((row) => row.map((mean) => (mean === Math.max(...row) ? 0.7 : 0) + 0.3 / actions));
  return { means, logging: rows(distribution), target: greedy };
}

/** V = mean over contexts of sum_a pi(a|x) mean(x, a). */
export function truth({ means, target }: World): number {
  const values = means.map((row, x) => row.reduce((sum, mean, a) => sum + mean * target[x]![a]!, 0));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** `n` outcomes of the logging policy; `model` is q, by default one that knows nothing. */
export function sample(
  { means, logging, target }: World,
  n: number,
  random: Random,
  model?: readonly (readonly number[])[],
): WeighedOutcome[] {
  return Array.from({ length: n }, () => {
    const x = random.below(means.length);
    const actionIndex = draw(logging[x]!, random);
    const rewards = means[x]!.map((mean) => (random.uniform() < mean ? 1 : 0));
    return weigh({
      actionIndex,
      reward: rewards[actionIndex]!,
      propensity: logging[x]![actionIndex]!,
      target: target[x]!,
      predictions: model?.[x] ?? means[x]!.map(() => 0),
      rewards,
    });
  });
}

function draw(probabilities: readonly number[], random: Random): number {
  let left = random.uniform();
  for (const [a, probability] of probabilities.entries()) {
    left -= probability;
    if (left < 0) return a;
  }
  return probabilities.length - 1;
}
