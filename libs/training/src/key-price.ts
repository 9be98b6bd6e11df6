import type { Action, ActionSpace } from '@a2sf/kv-compression';
import type { RewardLine } from './reward-lines.js';

/** What a kept key costs, and how many are kept. */
export interface Pricing {
  /** Reward that keeping every key of a prompt costs, in 0..1; 0: keys cost nothing. */
  readonly price: number;
  readonly space: ActionSpace;
  /** Keys kept per layer and KV head under actions that name no budget. */
  readonly budget: number;
}

/** Keys that an action keeps of a prompt of n tokens, as a share of it: min(budget, n) / n. */
export function keptShare({ budget }: Pick<Action, 'budget'>, n: number, otherwise: number): number {
  return Math.min(budget ?? otherwise, n) / n;
}

/**
 * The reward net of what its keys cost: max(0, r - price * k / n) for k kept of n keys. It stays in 0..1, for r is at most 1
 * and the cost at least 0. All keys of a model take equally many bytes: k / n is the kept share of the cache's bytes too.
 */
export function netReward(reward: number, price: number, share: number): number {
  return price === 0 ? reward : Math.max(0, reward - price * share);
}

/** A line of gross rewards made one of net rewards that keeps the gross ones beside them; without a price it is the same. */
export function pricedLine<L extends Omit<RewardLine, 'key'>>(
  gross: L,
  { price, space, budget }: Pricing,
): L & Pick<RewardLine, 'gross_full' | 'gross_rewards'> {
  if (price === 0) return gross;
  const { full, rewards, prompt_tokens: n } = gross;
  const net = rewards.map((reward, a) => netReward(reward, price, keptShare(space.at(a), n, budget)));
  return { ...gross, full: netReward(full, price, 1), rewards: net, gross_full: full, gross_rewards: rewards };
}
