import {
  PolicyServiceClient,
  type PolicyInfoResponseOutput,
  type PolicyServiceStub,
  type SelectActionResponseOutput,
} from '@a2sf/contracts';
import {
  callClientStream,
  callServerStream,
  callUnary,
  connect,
  type CallOptions,
  type ConnectOptions,
  type Patience,
  withPatience,
} from '@a2sf/grpc-runtime';
import { A2sfError } from '@a2sf/errors';
import { malformed, parts, sameLength } from './answers.js';
import type { Choice, Embedding, Experience, PolicyPeer, SelectionMode, UpdateResult } from './peers.js';

/** Items per call, below the limit that the service has by default. */
const selectBatch = 256;
/** Bytes per message of a checkpoint. */
const checkpointChunk = 1 << 20;

/** How long services that went away are waited for. */
export type PeerPatience = Pick<Patience, 'patienceMs' | 'onAway' | 'onBack'>;

/** The policy service over gRPC. A service that was started again without what it had learned is noticed, never learned on. */
export class GrpcPolicy implements PolicyPeer {
  readonly #policy: PolicyServiceStub;
  readonly #callTimeoutMs: number;
  readonly #patience: PeerPatience;
  /** The newest version that the service told; a policy that nobody else changes counts up from there. */
  #version = 0n;

  /** @param channel how the service is trusted and told who calls; default: plaintext. */
  constructor(
    address: string,
    { callTimeoutMs = 600_000 }: { readonly callTimeoutMs?: number } = {},
    { patienceMs, onAway, onBack, ...channel }: Pick<ConnectOptions, 'security'> & PeerPatience = {},
  ) {
    this.#policy = connect(PolicyServiceClient, address, channel);
    this.#callTimeoutMs = callTimeoutMs;
    this.#patience = {
      ...(patienceMs === undefined ? {} : { patienceMs }),
      ...(onAway === undefined ? {} : { onAway }),
      ...(onBack === undefined ? {} : { onBack }),
    };
  }

  /** Closes the channels. */
  close(): void {
    this.#policy.close();
  }

  describePolicy(signal?: AbortSignal): Promise<PolicyInfoResponseOutput> {
    return callUnary(this.#policy, 'getInfo', {}, this.options(signal));
  }

  async selectActions(
    embeddings: readonly Embedding[],
    { explore, beta, keys, withLowerBound = false }: SelectionMode,
    signal?: AbortSignal,
  ): Promise<Choice[]> {
    const mode = { explore, withLowerBound, ...(beta === undefined ? {} : { beta }) };
    const choices: Choice[] = [];
    for (const part of parts(embeddings, selectBatch)) {
      const from = choices.length;
      const requests = part.map((embedding, i) => ({ embedding, ...mode, key: keys?.[from + i] ?? '' }));
      const { responses } = await callUnary(this.#policy, 'selectActions', { requests }, this.options(signal));
      for (const { policyVersion } of responses) this.#advance(policyVersion);
      choices.push(...sameLength('policy', responses, part.length).map(choiceOf));
    }
    return choices;
  }

  async update(updateId: string, experiences: readonly Experience[]): Promise<UpdateResult> {
    const request = { updateId, experiences: experiences.map(experienceMessage) };
    const answer = await callUnary(this.#policy, 'update', request, this.options());
    const { predictionLoss, skipped, policyVersion } = answer;
    this.#advance(policyVersion, skipped < experiences.length ? 1n : 0n);
    return { predictionLoss, skipped };
  }

  async exportCheckpoint(iteration: number): Promise<Uint8Array> {
    return this.patiently(async () => {
      const chunks: Uint8Array[] = [];
      const stream = callServerStream(this.#policy, 'exportCheckpoint', { iteration }, this.once());
      for await (const { data } of stream) chunks.push(data);
      this.#advance((await this.describePolicy()).policyVersion);
      return Buffer.concat(chunks);
    });
  }

  async importCheckpoint(bytes: Uint8Array): Promise<void> {
    const messages = function* () {
      for (let start = 0; start < bytes.length; start += checkpointChunk) {
        yield { data: bytes.subarray(start, start + checkpointChunk) };
      }
    };
    const { policyVersion } = await this.patiently(() =>
      callClientStream(this.#policy, 'importCheckpoint', messages(), this.once()),
    );
    this.#version = BigInt(policyVersion);
  }

  /** Notes the version that an answer tells. Throws FAILED_PRECONDITION when it does not follow from the one before. */
  #advance(told: string, by = 0n): void {
    const version = BigInt(told);
    if (version < this.#version + by) {
      const message =
        `policy: it tells version ${version} after ${this.#version}: it was started again without what it had learned; ` +
        'start it with --state_dir, and go on from the last checkpoint with --resume';
      throw new A2sfError('FAILED_PRECONDITION', message, { field: 'policy', reason: 'policy-went-back' });
    }
    this.#version = version;
  }

  /** How long a call may take, what abandons it, and how long its server is waited for. */
  protected options(signal?: AbortSignal): CallOptions {
    return { ...this.once(signal), ...this.#patience };
  }

  /** How long a single attempt may take, and what abandons it. */
  protected once(signal?: AbortSignal, timeoutMs = this.#callTimeoutMs): Omit<CallOptions, keyof PeerPatience> {
    return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
  }

  /** Makes more than a call anew while its server is away. */
  protected patiently<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withPatience(work, { ...this.#patience, ...(signal === undefined ? {} : { signal }) });
  }
}

function choiceOf(answer: SelectActionResponseOutput): Choice {
  const { action, actionIndex, predictedReward, uncertainty, lowerBound } = answer;
  if (action === null) throw malformed('policy', 'a choice without an action');
  const { a, b, budget } = action;
  return {
    action: budget === undefined ? { a, b } : { a, b, budget },
    actionIndex,
    predictedReward,
    uncertainty,
    ...(lowerBound === undefined ? {} : { lowerBound }),
  };
}

function experienceMessage({ rewards, ...experience }: Experience) {
  return { ...experience, ...(rewards === undefined ? {} : { rewards: [...rewards] }) };
}
