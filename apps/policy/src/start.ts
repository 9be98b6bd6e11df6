import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Resolution, Resolved } from '@a2sf/config';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { ClientSecurity, serve, type RunningServer } from '@a2sf/grpc-runtime';
import { Metrics, type Logger } from '@a2sf/observability';
import {
  encodePolicyCheckpoint,
  isTorchCheckpoint,
  readTorchCheckpoint,
  RunLock,
  type CheckpointInput,
  type HyperParameters,
} from '@a2sf/run-store';
import type { DurableEvent } from './durable-learner.js';
import { policyMetrics, type PolicyMetrics } from './metrics.js';
import type { options } from './options.js';
import { PolicyEngine } from './policy-engine.js';
import { releaseMemorySoon } from './release-memory.js';
import { startReplica } from './replica-start.js';
import { restrictedTo } from './restricted.js';
import { policyService } from './service.js';
import { openServing } from './serving-parts.js';
import { TextEncoder } from './text-encoder.js';
import { VersionFeed } from './version-feed.js';

type PolicyOptions = Resolved<typeof options>;

/** What a policy server is started with. */
export interface StartOptions {
  readonly values: PolicyOptions;
  /** The learning numbers among the values that were given, not defaulted. */
  readonly given: Partial<HyperParameters>;
  readonly log: Logger;
  /** The thread that computes died: nothing can be served any more. */
  readonly onLost: (error: Error) => void;
  /** As of `serve`. */
  readonly process?: boolean;
}

/** The learning numbers that came from a flag, the environment or a file. */
export function givenNumbers({ values, sources }: Resolution<typeof options>): Partial<HyperParameters> {
  const { lr, ucbBeta, uncertaintyCoef, maxGradNorm, stepsPerUpdate } = values;
  const all: HyperParameters = { lr, ucbBeta, uncertaintyCoef, maxGradNorm, stepsPerUpdate };
  return Object.fromEntries(Object.entries(all).filter(([key]) => sources[key as keyof HyperParameters] !== 'default'));
}

/** Starts the role that was asked for. */
export function startPolicy(options: StartOptions): Promise<RunningServer> {
  return options.values.role === 'replica' ? startReplica(options, readCheckpoint) : startLearner(options);
}

/** Starts the learner, loads its kept state or its checkpoint and serves it. */
async function startLearner({ values, given, log, onLost, process }: StartOptions): Promise<RunningServer> {
  const registry = new Metrics();
  const metrics = policyMetrics(registry);
  const { stateDir, maxBatch, maxCheckpointBytes, maxMessageBytes } = values;
  const serving = await openServing(values, metrics, log);
  const lock = await lockState(stateDir).catch(async (error: unknown) => {
    await serving.close();
    throw error;
  });
  const engine = new PolicyEngine({
    given,
    serving: serving.serving,
    onExit: onLost,
    onEvent: (event) => report(event, metrics, log),
    ...(stateDir === undefined ? {} : { state: { folder: stateDir, ...snapshotDistances(values) } }),
  });
  const stop = async (): Promise<void> => {
    await engine.dispose();
    await serving.close();
    await lock?.release();
  };
  try {
    const feed = new VersionFeed();
    const security = values.encoder === undefined ? ClientSecurity.plaintext : ClientSecurity.of(values, log);
    const encoder =
      values.encoder === undefined ? undefined : new TextEncoder(values.encoder, maxMessageBytes, security);
    await loadPolicy({ engine, values, metrics, log });
    const policy = await engine.call('describe');
    if (policy !== undefined) {
      metrics.observePolicy(policy);
      feed.publish(policy.policyVersion, policy.iteration);
      log.info(policy, 'policy loaded');
    }
    const server = await serve({
      name: 'policy',
      service: policyService({
        engine,
        encoder,
        feed,
        metrics,
        given,
        maxBatch,
        maxCheckpointBytes,
        serving,
        ...(stateDir === undefined ? {} : { uploadFolder: stateDir }),
      }),
      options: values,
      restricted: restrictedTo(values.trainers),
      metrics: registry,
      log,
      onStop: async () => {
        encoder?.close();
        security.close();
        await engine.call('close').catch((error: unknown) => log.warn({ err: error }, 'the state was not closed'));
        await stop();
      },
      ...(process === undefined ? {} : { process }),
    });
    server.setReady(true);
    releaseMemorySoon(); // what starting took
    return server;
  } catch (error) {
    await stop();
    throw error;
  }
}

async function lockState(stateDir: string | undefined): Promise<RunLock | undefined> {
  return stateDir === undefined ? undefined : RunLock.acquire(stateDir);
}

function snapshotDistances({ snapshotUpdates, snapshotLogBytes }: PolicyOptions) {
  return { snapshotUpdates, snapshotLogBytes };
}

function report(event: DurableEvent, metrics: PolicyMetrics, log: Logger): void {
  metrics.observeState(event);
  if (event.kind === 'snapshot') log.debug(event, 'snapshot written');
  else log.warn(event, 'no snapshot; the log grows until one can be written');
}

interface Loading {
  readonly engine: PolicyEngine;
  readonly values: PolicyOptions;
  readonly metrics: PolicyMetrics;
  readonly log: Logger;
}

/** The kept state where there is one, else the checkpoint. */
async function loadPolicy({ engine, values, metrics, log }: Loading): Promise<void> {
  const recovery = await engine.call('open');
  metrics.observeRecovery(recovery);
  for (const warning of recovery.warnings) log.warn(warning);
  const isKept = recovery.snapshot > 0;
  if (isKept) log.info({ snapshot: recovery.snapshot, replayed: recovery.replayed }, 'state restored');
  if (values.checkpoint === undefined) return;
  if (isKept) {
    log.info('--checkpoint is passed over: --state_dir holds a policy');
    return;
  }
  const read = await readCheckpoint(values.checkpoint, values.maxCheckpointBytes);
  const { warnings } = await engine.call('importCheckpoint', read.input, basename(values.checkpoint));
  for (const warning of [...read.warnings, ...warnings]) log.warn(warning);
}

/** A checkpoint in our format; one of the reference is brought to it. */
async function readCheckpoint(
  path: string,
  limit: number,
): Promise<{ readonly input: CheckpointInput; readonly warnings: readonly string[] }> {
  const name = basename(path);
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > limit) {
        const message = `${name}: ${size} bytes are over the limit of ${limit} (--max_checkpoint_bytes)`;
        throw new A2sfError('RESOURCE_EXHAUSTED', message, { field: 'checkpoint', reason: 'checkpoint-too-large' });
      }
      if (isTorchCheckpoint(path)) {
        const { checkpoint, warnings } = readTorchCheckpoint(path);
        return { input: encodePolicyCheckpoint(checkpoint), warnings };
      }
      return { input: { path }, warnings: [] };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isA2sfError(error)) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const kind = code === 'ENOENT' ? 'NOT_FOUND' : 'FAILED_PRECONDITION';
    throw new A2sfError(kind, `--checkpoint: ${name} cannot be read (${code})`, { field: 'checkpoint', cause: error });
  }
}
