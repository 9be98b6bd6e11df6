import { A2sfError } from '@a2sf/errors';
import { argmax } from './argmax.js';

/** regret = max_a r_a - r_chosen >= 0, where `rewards` holds the reward of every action of the space. */
export function regret(rewards: ArrayLike<number>, chosen: number): number {
  const reward = rewards[chosen];
  if (reward === undefined) throw A2sfError.invalid('chosen', `must be in 0..${rewards.length - 1}, got ${chosen}`);
  return rewards[argmax(rewards)]! - reward;
}
