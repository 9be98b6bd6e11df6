import type { A2sfError } from '@a2sf/errors';
import type { PeerAddresses } from '@a2sf/training';
import type { TrainerOptions } from './options.js';

/** The services that a run works with. */
export interface Suite {
  /** For a run from a store that of the policy is enough; the others may be empty. */
  readonly addresses: PeerAddresses;
  /** Why a service ended by itself; undefined while all run. */
  failure(): A2sfError | undefined;
  /** Stops the services that were started for the run; idempotent. */
  stop(): Promise<void>;
}

/** Starts the services that a run needs and waits until they serve. */
export type StartSuite = (options: TrainerOptions, signal: AbortSignal) => Promise<Suite>;
