import { agentType } from '@a2sf/bandit';
import type { ActionSpace } from '@a2sf/kv-compression';
import { encodePolicyCheckpoint, type HyperParameters } from '@a2sf/run-store';

/** What a new policy is made of. */
export interface InitialPolicyOptions {
  /** Name of the learning algorithm. */
  readonly agent: string;
  readonly space: ActionSpace;
  /** Length of the encoder's embeddings. */
  readonly dimension: number;
  /** Width of both hidden layers; absent: the algorithm's default. */
  readonly hidden?: number;
  /** Seed of the first weights. */
  readonly seed: number;
  readonly hyperParameters: HyperParameters;
  /** Identity of the encoder. */
  readonly encoderId: string;
  /** Hash of the run's definition. */
  readonly configHash: string;
}

/** The bytes of policy_0.safetensors: an agent that has seen nothing. The same options give the same bytes. */
export function initialPolicy(options: InitialPolicyOptions): Uint8Array {
  const { agent, space, dimension, hidden, seed, hyperParameters, encoderId, configHash } = options;
  const width = hidden === undefined ? {} : { hidden };
  const initial = { space, dimension, seed, lambda: hyperParameters.uncertaintyCoef, ...width };
  return encodePolicyCheckpoint({
    state: agentType(agent).initial(initial).state(),
    iteration: 0,
    policyVersion: 0,
    encoderId,
    configHash,
    randomState: '',
    seed,
    hyperParameters,
  });
}
