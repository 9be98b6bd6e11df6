import { initialPolicy, resumedPolicy, type ResumePoint, type TrainingStart } from '@a2sf/training';
import type { RunPlan } from './run-plan.js';

/** Where a run begins: with a policy that has seen nothing, or where another run's checkpoint stands. */
export function startPoint(
  plan: RunPlan,
  dimension: number,
  resume: ResumePoint | undefined,
  saveDir: string,
): TrainingStart {
  const { definition, configHash, settings } = plan;
  const { hyperParameters, seed, agent, identities } = definition;
  if (resume !== undefined) {
    return {
      iteration: resume.iteration,
      checkpoint: resumedPolicy(resume.checkpoint, hyperParameters, configHash),
      write: resume.folder !== saveDir,
    };
  }
  const { space } = settings;
  const { encoderId } = identities;
  return {
    iteration: 0,
    checkpoint: initialPolicy({ agent, space, dimension, seed, hyperParameters, encoderId, configHash }),
    write: true,
  };
}
