import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import {
  CheckpointFolder,
  decodePolicyCheckpoint,
  encodePolicyCheckpoint,
  type HyperParameters,
  type PolicyCheckpoint,
} from '@a2sf/run-store';
import { configFile } from './run-folder.js';

/** Where a run is to go on. */
export interface ResumePoint {
  /** The run's folder. */
  readonly folder: string;
  readonly iteration: number;
  readonly checkpoint: PolicyCheckpoint;
  /** The parsed config.json of the run. */
  readonly config: unknown;
}

/**
 * Finds what `--resume` names: a policy_N.safetensors in the folder of its run, or that folder, whose last checkpoint is
 * meant. Throws NOT_FOUND or FAILED_PRECONDITION naming `resume`, DATA_LOSS for a damaged file.
 */
export async function findResumePoint(path: string): Promise<ResumePoint> {
  const kind = await stat(path).catch(() => undefined);
  if (kind === undefined)
    throw new A2sfError('NOT_FOUND', `resume: there is no file or folder ${path}`, { field: 'resume' });
  const folder = resolve(kind.isDirectory() ? path : dirname(path));
  const config = await readRunConfig(folder);
  const checkpoint = kind.isDirectory()
    ? await lastCheckpoint(folder)
    : decodePolicyCheckpoint(await readFile(path), basename(path)).checkpoint;
  return { folder, iteration: checkpoint.iteration, checkpoint, config };
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
