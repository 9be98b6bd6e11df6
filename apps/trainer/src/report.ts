import { resultsTable, type TrainingOutcome } from '@a2sf/training';
import type { RunPlan } from './run-plan.js';

/** What a run says before it begins. */
export function introduction(
  { settings, definition }: RunPlan,
  train: number,
  evaluation: number,
  saveDir: string,
): string {
  const { maxNewTokens } = settings.generation;
  const { budgets } = settings.space;
  const budget = budgets.length === 0 ? `budget ${settings.generation.budget}` : `budgets ${budgets.join(', ')}`;
  return [
    `model ${definition.identities.modelId}, encoder ${definition.identities.encoderId}`,
    `${train} training prompts, ${evaluation} evaluation prompts, ${budget}, ${maxNewTokens} new tokens`,
    `agent ${definition.agent}, ${settings.feedback} feedback, reward: ${settings.reward.description}`,
    `run folder ${saveDir}, seed ${settings.seed}`,
  ].join('\n');
}

/** What a run says when it ended. */
export function conclusion(
  { iteration, interrupted, stalled, best, evaluation }: TrainingOutcome,
  { settings }: RunPlan,
  saveDir: string,
): string {
  const kept = best === undefined ? [] : [`best checkpoint: ${best.file}, evaluation reward ${best.reward.toFixed(3)}`];
  if (interrupted) return `stopped behind iteration ${iteration}; go on with: a2sf train --resume ${saveDir}`;
  if (evaluation === undefined) {
    return `no evaluation: every evaluation prompt fits the budget of ${settings.generation.budget} tokens`;
  }
  const end = stalled
    ? [`ended behind iteration ${iteration}: no higher reward in ${settings.patience} evaluations`]
    : [];
  return ['', resultsTable(evaluation, settings.reward.description), '', ...end, ...kept].join('\n');
}
