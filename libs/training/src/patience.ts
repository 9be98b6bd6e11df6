import type { EvaluationLine } from './evaluation.js';

/**
 * True when the last `patience` evaluations did not improve on the highest mean reward before them; a patience of 0 never
 * ends. Follows from the lines alone, so that a resumed run stops where an undisturbed one does.
 */
export function hasStalled(lines: readonly Pick<EvaluationLine, 'eval_avg_reward'>[], patience: number): boolean {
  if (patience === 0) return false;
  let best = -1;
  let since = 0;
  for (const { eval_avg_reward: reward } of lines) {
    if (reward > best) [best, since] = [reward, 0];
    else since++;
  }
  return since >= patience;
}
