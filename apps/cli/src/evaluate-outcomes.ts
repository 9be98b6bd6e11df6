import { weigh, type Agent, type WeighedOutcome } from '@a2sf/bandit';
import { A2sfError } from '@a2sf/errors';
import { decodeContext, readDecisions, type DecisionLine, type RewardLine } from '@a2sf/run-store';

/** The policy that is evaluated, and how it would choose. */
export interface Target {
  readonly agent: Agent;
  /** Empty: not known, and every context is taken. */
  readonly encoderId: string;
  readonly policyVersion: number;
  readonly beta: number;
  readonly epsilon: number;
}

/** What became of the lines of a log. */
export interface OutcomeCounts {
  decisions: number;
  evaluated: number;
  /** Nobody told a reward. */
  withoutReward: number;
  /** The context is that of another encoder, or of another length. */
  otherEncoder: number;
  /** The action is not at this place in the policy's action space. */
  otherActionSpace: number;
  /** The full cache was advised: the reward is not that of the action. */
  fullCache: number;
  /** The reward is that of another action than the one that was decided. */
  otherAction: number;
  rewardsWithoutDecision: number;
  /** Evaluated decisions of earlier versions than the policy's: it may have learned from them. */
  beforePolicy: number;
}

/** Contexts that go through the network at once. */
const batchSize = 64;

/**
 * The decisions of a log that have a reward, as the estimators want them. The log is read twice, so that only rewards and
 * a few numbers of each decision are held. Throws INVALID_ARGUMENT naming the decision for a propensity or reward that
 * cannot be, RESOURCE_EXHAUSTED over `maxRewards` rewards.
 */
export async function readOutcomes(
  log: string,
  target: Target,
  maxRewards: number,
): Promise<{ readonly outcomes: WeighedOutcome[]; readonly counts: OutcomeCounts }> {
  const rewards = await readRewards(log, maxRewards);
  const counts: OutcomeCounts = {
    decisions: 0,
    evaluated: 0,
    withoutReward: 0,
    otherEncoder: 0,
    otherActionSpace: 0,
    fullCache: 0,
    otherAction: 0,
    rewardsWithoutDecision: 0,
    beforePolicy: 0,
  };
  const outcomes: WeighedOutcome[] = [];
  let batch: Rewarded[] = [];
  const finish = (): void => {
    outcomes.push(...outcomesOf(batch, target));
    batch = [];
  };
  for await (const line of readDecisions(log)) {
    if (line.kind !== 'decision') continue;
    counts.decisions++;
    const told = rewards.get(line.id);
    rewards.delete(line.id);
    const context = contextOf(line);
    const fault = told === undefined ? 'withoutReward' : faultOf(line, context, told, target);
    if (told === undefined || fault !== undefined) {
      counts[fault ?? 'withoutReward']++;
      continue;
    }
    if (line.policy_version < target.policyVersion) counts.beforePolicy++;
    counts.evaluated++;
    batch.push({ line, context, told });
    if (batch.length === batchSize) finish();
  }
  finish();
  counts.rewardsWithoutDecision = rewards.size;
  return { outcomes, counts };
}

interface Rewarded {
  readonly line: DecisionLine;
  readonly context: Float32Array;
  readonly told: RewardLine;
}

/** The first reward of each id. */
async function readRewards(log: string, limit: number): Promise<Map<string, RewardLine>> {
  const rewards = new Map<string, RewardLine>();
  for await (const line of readDecisions(log)) {
    if (line.kind !== 'reward' || rewards.has(line.id)) continue;
    if (rewards.size >= limit) {
      const message = `the log holds more than ${limit} rewards (--max_rewards)`;
      throw new A2sfError('RESOURCE_EXHAUSTED', message, { field: 'max_rewards' });
    }
    rewards.set(line.id, line);
  }
  return rewards;
}

function contextOf(line: DecisionLine): Float32Array {
  try {
    return decodeContext(line);
  } catch (cause) {
    throw A2sfError.invalid(`decision ${line.id}.context`, cause instanceof Error ? cause.message : String(cause));
  }
}

/** Why a decision with a reward tells nothing of the target. */
function faultOf(
  line: DecisionLine,
  context: Float32Array,
  told: RewardLine,
  { agent, encoderId }: Target,
): Exclude<keyof OutcomeCounts, 'withoutReward'> | undefined {
  const { space } = agent;
  const isOther = line.encoder_id !== '' && encoderId !== '' && line.encoder_id !== encoderId;
  if (isOther || context.length !== agent.dimension) return 'otherEncoder';
  if (space.indexOf(line) !== line.action_index) return 'otherActionSpace';
  if (told.rewards !== undefined && told.rewards.length !== space.size) return 'otherActionSpace';
  if (line.use_full_cache) return 'fullCache';
  return told.action_index !== undefined && told.action_index !== line.action_index ? 'otherAction' : undefined;
}

function outcomesOf(batch: readonly Rewarded[], { agent, beta, epsilon }: Target): WeighedOutcome[] {
  const contexts = batch.map(({ context }) => context);
  const keys = batch.map(({ line }) => (line.key === '' ? undefined : line.key));
  const outlooks = agent.outlook(contexts, beta, { keys, epsilon });
  return batch.map(({ line, told }, n) => {
    const { probabilities, predictions } = outlooks[n]!;
    const { rewards } = told;
    const outcome = {
      actionIndex: line.action_index,
      reward: (rewards === undefined ? told.reward : rewards[line.action_index]) ?? NaN,
      propensity: line.propensity,
      target: probabilities,
      predictions,
      ...(rewards === undefined ? {} : { rewards }),
    };
    return weigh(outcome, `decision ${line.id}`);
  });
}
