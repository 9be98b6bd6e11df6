import { basename } from 'node:path';
import { usageError, type Resolution } from '@a2sf/config';
import { PolicyServiceClient } from '@a2sf/contracts';
import { ClientSecurity, connect, parseAddress, serve, type RunningServer } from '@a2sf/grpc-runtime';
import { Metrics } from '@a2sf/observability';
import type { CheckpointInput } from '@a2sf/run-store';
import type { PolicyDescription } from './learner.js';
import { policyMetrics, replicaMetrics } from './metrics.js';
import type { options } from './options.js';
import { ReplicaEngine } from './replica-engine.js';
import { releaseMemorySoon } from './release-memory.js';
import { ReplicaFollower } from './replica-follower.js';
import { replicaService } from './replica-service.js';
import { ReplicaStanding } from './replica-standing.js';
import { restrictedTo } from './restricted.js';
import { policyService } from './service.js';
import { openServing } from './serving-parts.js';
import type { StartOptions } from './start.js';
import { TextEncoder } from './text-encoder.js';
import { VersionFeed } from './version-feed.js';

const standingMs = 500;

/** Throws INVALID_ARGUMENT, reason `usage`, for flags that do not fit the role. */
export function requireRole({ values: { role, learner, stateDir } }: Pick<Resolution<typeof options>, 'values'>): void {
  const problems: string[] = [];
  if (role === 'learner' && learner !== undefined) {
    problems.push('--learner: only a replica follows a learner (--role replica)');
  }
  if (role === 'replica' && stateDir !== undefined) {
    problems.push('--state_dir: a replica keeps nothing; its learner does');
  }
  if (role === 'replica' && learner === undefined)
    problems.push('--learner: a replica needs the address of its learner');
  if (learner !== undefined) {
    try {
      parseAddress(learner);
    } catch (error) {
      problems.push(`--learner: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (problems.length > 0) throw usageError(problems);
}

type ReadCheckpoint = (
  path: string,
  limit: number,
) => Promise<{ readonly input: CheckpointInput; readonly warnings: readonly string[] }>;

/** Starts a replica: it serves --checkpoint, if there is one, until it has a policy of its learner; ready with the first. */
export async function startReplica(
  { values, given, log, onLost, process }: StartOptions,
  readCheckpoint: ReadCheckpoint,
): Promise<RunningServer> {
  requireRole({ values });
  const { maxBatch, maxCheckpointBytes, maxMessageBytes, checkpoint } = values;
  const learner = values.learner!;
  const registry = new Metrics();
  const metrics = policyMetrics(registry);
  const following = replicaMetrics(registry);
  const standing = new ReplicaStanding();
  const feed = new VersionFeed();
  const serving = await openServing(values, metrics, log);
  const engine = new ReplicaEngine({ given, serving: serving.serving, onExit: onLost });
  const security = ClientSecurity.of(values, log);
  const client = connect(PolicyServiceClient, learner, { maxMessageBytes, security });
  const encoder = values.encoder === undefined ? undefined : new TextEncoder(values.encoder, maxMessageBytes, security);
  const observe = (): void => following.observeStanding(standing.lagSeconds(), standing.versionsBehind());
  const timer = setInterval(observe, standingMs).unref();
  const serves = (policy: PolicyDescription): void => {
    metrics.observePolicy(policy);
    feed.replace(policy.policyVersion, policy.iteration);
  };
  let server: RunningServer | undefined;
  const follower = new ReplicaFollower({
    client,
    standing,
    maxCheckpointBytes,
    log,
    revision: () => engine.revision,
    take: (bytes) => engine.take(bytes, 'the policy of the learner'),
    onFetched: (outcome, policy) => {
      following.observeFetch(outcome);
      observe();
      if (policy === undefined) return;
      serves(policy);
      server?.setReady(true);
    },
  });
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await Promise.all([follower.stop(), engine.dispose()]);
    client.close();
    encoder?.close();
    security.close();
    await serving.close();
  };
  try {
    if (checkpoint !== undefined) {
      const read = await readCheckpoint(checkpoint, maxCheckpointBytes);
      for (const warning of read.warnings) log.warn(warning);
      const policy = await engine.take(read.input, basename(checkpoint));
      standing.tookOther(policy.policyVersion);
      serves(policy);
      log.info(policy, 'policy loaded; the learner decides which comes next');
    }
    const service = policyService({ engine, encoder, feed, metrics, given, maxBatch, maxCheckpointBytes, serving });
    server = await serve({
      name: 'policy',
      service: replicaService(service, { learner, lagSeconds: () => standing.lagSeconds() }),
      options: values,
      restricted: restrictedTo(values.trainers),
      metrics: registry,
      log,
      onStop: stop,
      ...(process === undefined ? {} : { process }),
    });
    if (checkpoint !== undefined) server.setReady(true);
    follower.start();
    releaseMemorySoon(); // what starting took
    return server;
  } catch (error) {
    await stop();
    throw error;
  }
}
