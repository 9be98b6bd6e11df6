import { usageError } from '@a2sf/config';
import { waitUntilServing } from '@a2sf/grpc-runtime';
import type { TrainerOptions } from './options.js';
import type { StartSuite, Suite } from './suite.js';

/** How long services that are running already may take to become ready. */
const servingTimeoutMs = 60_000;

/**
 * The services of a run: those of the given addresses, or ones started for it when none is given. Throws a usage error
 * when only some addresses are given, or none and `startSuite` is absent; UNAVAILABLE when a service is not serving.
 */
export async function connectSuite(
  values: TrainerOptions,
  startSuite: StartSuite | undefined,
  signal: AbortSignal,
): Promise<Suite> {
  const { generators, encoder, rewardService: reward, policy } = values;
  if (generators !== undefined && encoder !== undefined && reward !== undefined && policy !== undefined) {
    const all = [...generators, encoder, reward, policy];
    await Promise.all(all.map((address) => waitUntilServing(address, { timeoutMs: servingTimeoutMs, signal })));
    return {
      addresses: { generators, encoder, reward, policy },
      failure: () => undefined,
      stop: () => Promise.resolve(),
    };
  }
  const flags = { generators, encoder, reward_service: reward, policy };
  const missing = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [`--${flag}`] : []));
  if (startSuite !== undefined && missing.length === Object.keys(flags).length) return startSuite(values, signal);
  const alternative = startSuite === undefined ? '' : ', or of none';
  throw usageError([`${missing.join(', ')}: the addresses of all four services are needed${alternative}`]);
}
