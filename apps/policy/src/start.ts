import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Resolution, Resolved } from '@a2sf/config';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { serve, type RunningServer } from '@a2sf/grpc-runtime';
import { Metrics, type Logger } from '@a2sf/observability';
import { encodePolicyCheckpoint, isTorchCheckpoint, readTorchCheckpoint, type HyperParameters } from '@a2sf/run-store';
import { policyMetrics } from './metrics.js';
import type { options } from './options.js';
import { PolicyEngine } from './policy-engine.js';
import { policyService } from './service.js';
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
  const { lr, ucbBeta, uncertaintyCoef, maxGradNorm } = values;
  const all: HyperParameters = { lr, ucbBeta, uncertaintyCoef, maxGradNorm };
  return Object.fromEntries(Object.entries(all).filter(([key]) => sources[key as keyof HyperParameters] !== 'default'));
}

/** Starts the learner, loads its checkpoint and serves it. */
export async function startPolicy({ values, given, log, onLost, process }: StartOptions): Promise<RunningServer> {
  const engine = new PolicyEngine({ given, onExit: onLost });
  try {
    const feed = new VersionFeed();
    const registry = new Metrics();
    const metrics = policyMetrics(registry);
    const { maxBatch, maxCheckpointBytes, maxMessageBytes } = values;
    const encoder = values.encoder === undefined ? undefined : new TextEncoder(values.encoder, maxMessageBytes);
    if (values.checkpoint !== undefined) {
      const read = await readCheckpoint(values.checkpoint, maxCheckpointBytes);
      const { warnings } = await engine.call('importCheckpoint', read.bytes, basename(values.checkpoint));
      for (const warning of [...read.warnings, ...warnings]) log.warn(warning);
      const policy = (await engine.call('describe'))!;
      metrics.observePolicy(policy);
      feed.publish(policy.policyVersion, policy.iteration);
      log.info(policy, 'policy loaded');
    }
    const server = await serve({
      name: 'policy',
      service: policyService({ engine, encoder, feed, metrics, given, maxBatch, maxCheckpointBytes }),
      options: values,
      metrics: registry,
      log,
      onStop: async () => {
        encoder?.close();
        await engine.dispose();
      },
      ...(process === undefined ? {} : { process }),
    });
    server.setReady(true);
    return server;
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

/** The bytes of a checkpoint in our format; one of the reference is brought to it. */
async function readCheckpoint(
  path: string,
  limit: number,
): Promise<{ readonly bytes: Uint8Array; readonly warnings: readonly string[] }> {
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
        return { bytes: encodePolicyCheckpoint(checkpoint), warnings };
      }
      return { bytes: await file.readFile(), warnings: [] };
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
