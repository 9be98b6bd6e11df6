import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { restoreAgent } from '@a2sf/bandit';
import { A2sfError } from '@a2sf/errors';
import {
  CheckpointFolder,
  decodePolicyCheckpoint,
  encodePolicyCheckpoint,
  isTorchCheckpoint,
  readTorchCheckpoint,
  type HyperParameters,
  type PolicyCheckpoint,
} from '@a2sf/run-store';
import { configFile } from './run-folder.js';

/** Where a run is to go on. */
export interface ResumePoint {
  /**
   * `run`: a run of ours goes on, in its folder or in another. `reference`: a run of the reference does; of ours it is a
   * new one, with a folder of its own, that begins at the iteration of the checkpoint.
   */
  readonly kind: 'run' | 'reference';
  /** The folder that the checkpoint lies in: for a `run` that of the run. */
  readonly folder: string;
  readonly iteration: number;
  readonly checkpoint: PolicyCheckpoint;
  /** The parsed config.json of the run, or as much of one as a reference's checkpoint tells. */
  readonly config: unknown;
  /** Name of the file that `config` comes from, for errors. */
  readonly configSource: string;
  /** What the user should know. */
  readonly warnings: readonly string[];
}

/** Fields of the reference's config that mean what our flags of the same names do; the others are its machine's. */
const sharedFlags = [
  'model_name',
  'context_encoder_model',
  'iterations',
  'episodes_per_update',
  'lr',
  'ucb_beta',
  'uncertainty_coef',
  'max_grad_norm',
  'seed',
  'budget',
  'recent',
  'max_new_tokens',
  'eval_frequency',
  'eval_samples',
  'log_frequency',
] as const;

/**
 * Finds what `--resume` names: a policy_N.safetensors in the folder of its run, that folder, whose last checkpoint is
 * meant, or a policy_N.pt of the reference, wherever it lies. Throws NOT_FOUND or FAILED_PRECONDITION naming `resume`,
 * DATA_LOSS for a damaged file.
 */
export async function findResumePoint(path: string): Promise<ResumePoint> {
  const kind = await stat(path).catch(() => undefined);
  if (kind === undefined)
    throw new A2sfError('NOT_FOUND', `resume: there is no file or folder ${path}`, { field: 'resume' });
  const folder = resolve(kind.isDirectory() ? path : dirname(path));
  if (!kind.isDirectory() && isTorchCheckpoint(path)) return referencePoint(path, folder);
  const config = await readRunConfig(folder);
  const checkpoint = kind.isDirectory()
    ? await lastCheckpoint(folder)
    : decodePolicyCheckpoint(await readFile(path), basename(path)).checkpoint;
  const { iteration } = checkpoint;
  return { kind: 'run', folder, iteration, checkpoint, config, configSource: configFile, warnings: [] };
}

/** The action space and the width are those of the policy's tensors, which its config repeats. */
function referencePoint(path: string, folder: string): ResumePoint {
  const { checkpoint, config: record, warnings } = readTorchCheckpoint(path);
  const { space, hidden } = restoreAgent(checkpoint.state);
  const options: Record<string, unknown> = { a_values: space.aValues, b_values: space.bValues, hidden };
  for (const flag of sharedFlags) {
    const value = record.get(flag);
    if (value !== undefined && value !== null) options[flag] = value;
  }
  const { iteration } = checkpoint;
  const config = { options };
  return { kind: 'reference', folder, iteration, checkpoint, config, configSource: basename(path), warnings };
}

/** The bytes of a checkpoint to go on from, with the numbers that steer learning as the run has them now. */
export function resumedPolicy(
  checkpoint: PolicyCheckpoint,
  hyperParameters: HyperParameters,
  configHash: string,
): Uint8Array {
  return encodePolicyCheckpoint({ ...checkpoint, hyperParameters, configHash });
}

async function lastCheckpoint(folder: string): Promise<PolicyCheckpoint> {
  const checkpoints = await CheckpointFolder.open(folder);
  const iteration = await checkpoints.latest();
  if (iteration === undefined) {
    throw new A2sfError('NOT_FOUND', `resume: ${folder} holds no policy_N.safetensors`, { field: 'resume' });
  }
  return (await checkpoints.read(iteration)).checkpoint;
}

async function readRunConfig(folder: string): Promise<unknown> {
  const path = join(folder, configFile);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const message = `resume: ${path} cannot be read; give the folder of a run, or a checkpoint in it`;
    throw new A2sfError('NOT_FOUND', message, { field: 'resume', cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new A2sfError('DATA_LOSS', `resume: ${path} is no JSON`, { field: 'resume', cause });
  }
}
