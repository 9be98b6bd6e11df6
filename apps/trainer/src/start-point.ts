import { agentType, defaultHidden, restoreAgent } from '@a2sf/bandit';
import { A2sfError } from '@a2sf/errors';
import type { PolicyCheckpoint } from '@a2sf/run-store';
import { initialPolicy, resumedPolicy, type ResumePoint, type TrainingStart } from '@a2sf/training';
import type { RunPlan } from './run-plan.js';

/**
 * Where a run begins: with a policy that has seen nothing, or where another run's checkpoint stands. A checkpoint of the
 * reference does not tell its encoder: it becomes that of the run. Throws FAILED_PRECONDITION naming both when the
 * checkpoint was made for another embedding dimension than the encoder has, or by another algorithm than the run names.
 */
export function startPoint(
  plan: RunPlan,
  dimension: number,
  resume: ResumePoint | undefined,
  saveDir: string,
): TrainingStart {
  const { definition, configHash, settings } = plan;
  const { hyperParameters, seed, agent, hidden = defaultHidden, identities } = definition;
  const { encoderId } = identities;
  if (resume !== undefined) {
    requireSameAgent(resume.checkpoint, agent);
    requireSameDimension(resume.checkpoint, dimension);
    requireSameWidth(resume.checkpoint, hidden);
    const isForeign = resume.kind === 'reference';
    const checkpoint = isForeign ? { ...resume.checkpoint, encoderId, seed } : resume.checkpoint;
    return {
      iteration: resume.iteration,
      checkpoint: resumedPolicy(checkpoint, hyperParameters, configHash),
      write: isForeign || resume.folder !== saveDir,
    };
  }
  const { space } = settings;
  return {
    iteration: 0,
    checkpoint: initialPolicy({ agent, space, dimension, hidden, seed, hyperParameters, encoderId, configHash }),
    write: true,
  };
}

function requireSameAgent({ state }: PolicyCheckpoint, agent: string): void {
  if (state.agent === agent) return;
  const message = `agent: the checkpoint was made by ${state.agent}, not ${agent}; resume with it, or start a new run`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'agent', reason: 'another-run' });
}

function requireSameDimension({ state }: PolicyCheckpoint, dimension: number): void {
  const own = restoreAgent(state).dimension;
  if (own === dimension) return;
  const problem = `its policy was made for embeddings of ${own} numbers, the encoder gives ${dimension}`;
  const message = `resume: ${problem}; name the encoder it was trained with by --context_encoder_model`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'resume', reason: 'wrong-dimension' });
}

/** An algorithm without hidden layers has the width that its contexts have. */
function requireSameWidth({ state }: PolicyCheckpoint, hidden: number): void {
  const { space, dimension, hidden: own } = restoreAgent(state);
  const asked = agentType(state.agent).initial({ space, dimension, hidden, seed: 0 }).hidden;
  if (own === asked) return;
  const message = `hidden: the checkpoint has layers of width ${own}, not ${asked}; resume with it, or start a new run`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'hidden', reason: 'another-run' });
}
