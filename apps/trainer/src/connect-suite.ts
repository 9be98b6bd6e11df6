import { usageError } from '@a2sf/config';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { waitUntilServing, type ClientSecurity } from '@a2sf/grpc-runtime';
import type { PeerAddresses } from '@a2sf/training';
import type { TrainerOptions } from './options.js';
import type { Suite } from './suite.js';

/** How long services that are running already may take to become ready. */
const servingTimeoutMs = 15_000;

/** Those of the services that a run from a store does without. */
const noAddresses = { generators: [], encoder: '', reward: '' };

/** The addresses among the flags; undefined when none is given and the services are to be started. Throws a usage error when some lack. */
export function givenAddresses(values: TrainerOptions, canStart: boolean): PeerAddresses | undefined {
  const { generators, encoder, rewardService: reward, policy, fromStore } = values;
  if (fromStore !== undefined) {
    if (policy !== undefined) return { ...noAddresses, policy };
    if (canStart) return undefined;
    throw usageError(['--policy: the address of the policy is needed']);
  }
  if (generators !== undefined && encoder !== undefined && reward !== undefined && policy !== undefined) {
    return { generators, encoder, reward, policy };
  }
  const flags = { generators, encoder, reward_service: reward, policy };
  const missing = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [`--${flag}`] : []));
  if (canStart && missing.length === Object.keys(flags).length) return undefined;
  const alternative = canStart ? ', or of none' : '';
  throw usageError([`${missing.join(', ')}: the addresses of all four services are needed${alternative}`]);
}

/** The running services of the given addresses. Throws UNAVAILABLE when one is not serving. */
export async function connectSuite(
  addresses: PeerAddresses,
  security: ClientSecurity,
  signal: AbortSignal,
): Promise<Suite> {
  const { generators, encoder, reward, policy } = addresses;
  const flagged: [flag: string, address: string][] = [
    ...generators.map((address): [string, string] => ['generators', address]),
    ['encoder', encoder],
    ['reward_service', reward],
    ['policy', policy],
  ];
  await Promise.all(
    flagged
      .filter(([, address]) => address !== '')
      .map(([flag, address]) =>
        waitUntilServing(address, { timeoutMs: servingTimeoutMs, signal, security }).catch((error: unknown) => {
          if (!isA2sfError(error) || signal.aborted) throw error;
          throw new A2sfError(error.code, `${flag}: ${error.message}`, {
            field: flag,
            reason: error.reason,
            cause: error,
          });
        }),
      ),
  );
  return { addresses, failure: () => undefined, stop: () => Promise.resolve() };
}
