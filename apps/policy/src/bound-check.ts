import type { Agent } from '@a2sf/bandit';
import { appraise } from './candidates.js';
import type { ExperienceInput } from './update-ledger.js';

/** How rewards lay to the lower bounds that the policy had for them. */
export interface BoundCheck {
  readonly checked: number;
  /** Rewards below their bound. */
  readonly violated: number;
}

/** Experiences of one update that are looked at, its first ones: a prediction costs a good part of what learning it costs. */
export const boundsPerUpdate = 32;

/**
 * Calibration on what is about to be learned: counts r < p - boundBeta sqrt(u + 1e-6), with p and u as they are before the
 * step. Of an experience with the rewards of all actions, the action of the highest prediction is looked at.
 */
export function checkBounds(agent: Agent, all: readonly ExperienceInput[], boundBeta: number): BoundCheck {
  const experiences = all.slice(0, boundsPerUpdate);
  if (experiences.length === 0) return { checked: 0, violated: 0 };
  const appraisal = appraise(
    agent,
    experiences.map(({ context, key }) => ({ context, key })),
    boundBeta,
  );
  const violated = experiences.filter(({ actionIndex, reward, rewards }, n) => {
    const action = rewards === undefined ? actionIndex : appraisal.best(n);
    return (rewards === undefined ? reward : rewards[action]!) < appraisal.lowerBound(n, action);
  });
  return { checked: experiences.length, violated: violated.length };
}
