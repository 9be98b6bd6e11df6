import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { dryRunText, flagOf, resolveOptions, usageError } from '@a2sf/config';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { findResumePoint } from '@a2sf/training';
import { givenAddresses } from './connect-suite.js';
import { options as trainerOptions, withProfile, type Profile } from './options.js';
import { recordSources, resumeOptions } from './recorded-options.js';
import { runTraining } from './run-training.js';
import { listenForStop } from './stop-request.js';
import { checkStoreFlags } from './store-source.js';
import type { StartSuite } from './suite.js';

/** How a command runs the trainer. */
export interface RunOptions {
  /** Starts the services when no addresses are given; without it addresses are required. */
  readonly startSuite?: StartSuite;
  /** Name of the command in its help; default `a2sf train`. */
  readonly command?: string;
  /** What the command does, for its help. */
  readonly description?: string;
  /** Values in the place of the defaults. */
  readonly profile?: Profile;
}

const epilogue = `Exit codes: 0 done, 1 failed, 2 wrong usage, 130 and 143 stopped by SIGINT (Ctrl-C) and SIGTERM: a checkpoint of the
last complete iteration is then in the run's folder. A second signal ends the run at once.`;

/**
 * Trains a policy as the flags say. A run stopped by SIGINT or SIGTERM writes a checkpoint and sets the exit code 130 or
 * 143; a second signal ends the process at once.
 */
export async function run(argv: readonly string[], how: RunOptions = {}): Promise<void> {
  const {
    command: name = 'a2sf train',
    description = 'Trains a policy that chooses, prompt by prompt, how to compress the KV cache.',
  } = how;
  const options = withProfile(how.profile ?? {});
  const resolution = resolveOptions({ name, description, epilogue, ownDryRun: true }, options, argv);
  const given = resolution.values;
  const resume = given.resume === undefined ? undefined : await findResumePoint(given.resume).catch(nameFlag);
  const values = resume === undefined ? given : resumeOptions(options, resolution, resume.config, resume.configSource);
  checkStoreFlags(values, resolution.sources);
  if (resolution.sources.budget !== 'default' && values.budgets !== undefined) {
    throw usageError(['--budget: not with --budgets, which is in its place']);
  }
  if (resume !== undefined && values.iterations < resume.iteration) {
    throw usageError([`--iterations: ${values.iterations} is below ${resume.iteration}, where the checkpoint stands`]);
  }
  const elsewhere = resume?.kind !== 'run' || resolution.sources.saveDir !== 'default';
  const saveDir = elsewhere ? resolve(values.saveDir) : resume.folder;
  const recorded = Object.entries(values).filter(
    ([key, value]) => !isDeepStrictEqual(value, given[key as keyof typeof given]),
  );
  const ofRun = [...recorded.map(([key]) => key), ...(elsewhere ? [] : ['saveDir'])];
  const sources = { ...resolution.sources, ...Object.fromEntries(ofRun.map((key) => [key, 'run' as const])) };
  const settled = { ...resolution, values: { ...values, saveDir }, sources };
  if (resolution.dryRun !== undefined) {
    givenAddresses(values, how.startSuite !== undefined); // some of them without the others are wrong usage
    process.stdout.write(dryRunText(options, settled, resolution.dryRun));
    return;
  }
  const stop = listenForStop();
  try {
    const origins = recordSources(options, settled, resume?.config);
    await runTraining({ values: settled.values, origins }, resume, how.startSuite, stop.signal);
  } catch (error) {
    // Stopped before there was anything to save; anything else that went wrong then is the stop's consequence.
    if (stop.exitCode() === undefined) nameFlag(error);
  } finally {
    stop.dispose();
  }
  process.exitCode = stop.exitCode() ?? process.exitCode;
}

const flags: ReadonlySet<string> = new Set(Object.entries(trainerOptions).map(([key, option]) => flagOf(key, option)));

/** Throws an error again, its field written as the flag that it is, where it is one. */
function nameFlag(error: unknown): never {
  if (!isA2sfError(error) || error.field === undefined || !error.message.startsWith(`${error.field}: `)) throw error;
  if (!flags.has(error.field)) throw error;
  const { code, message, field, reason, cause } = error;
  throw new A2sfError(code, `--${message}`, { field, reason, cause });
}
