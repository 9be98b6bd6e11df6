import {
  EncoderServiceClient,
  GeneratorServiceClient,
  PolicyServiceClient,
  RewardServiceClient,
  type EncoderServiceStub,
  type GeneratorServiceStub,
  type PolicyServiceStub,
  type RewardServiceStub,
  type SelectActionResponseOutput,
} from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import {
  callClientStream,
  callServerStream,
  callUnary,
  connect,
  type CallOptions,
  type ConnectOptions,
} from '@a2sf/grpc-runtime';
import { MemberPool } from './member-pool.js';
import type {
  Choice,
  Embedding,
  Experience,
  PeerInfo,
  Peers,
  ScoreTask,
  SelectionMode,
  SweepOutcome,
  SweepTask,
  SweptText,
  UpdateResult,
} from './peers.js';

/** Where the services are. */
export interface PeerAddresses {
  readonly encoder: string;
  /** At least one. */
  readonly generators: readonly string[];
  readonly reward: string;
  readonly policy: string;
}

/** How long a call may take. */
export interface PeerTimeouts {
  /** A sweep of sixty actions over a long prompt on a CPU takes minutes. Default one hour. */
  readonly sweepTimeoutMs?: number;
  /** Every other call. Default ten minutes. */
  readonly callTimeoutMs?: number;
}

/** Items per call, below the limits that the services have by default. */
const selectBatch = 256;
const scoreBatch = 256;
/** Bytes per message of a checkpoint. */
const checkpointChunk = 1 << 20;

/** The four services over gRPC. */
export class GrpcPeers implements Peers {
  readonly #encoder: EncoderServiceStub;
  readonly #reward: RewardServiceStub;
  readonly #policy: PolicyServiceStub;
  readonly #generators: readonly GeneratorServiceStub[];
  readonly #pool: MemberPool<GeneratorServiceStub>;
  readonly #sweepTimeoutMs: number;
  readonly #callTimeoutMs: number;

  /** @param channel how the services are trusted and told who calls; default: plaintext. */
  constructor(addresses: PeerAddresses, timeouts: PeerTimeouts = {}, channel: Pick<ConnectOptions, 'security'> = {}) {
    this.#encoder = connect(EncoderServiceClient, addresses.encoder, channel);
    this.#reward = connect(RewardServiceClient, addresses.reward, channel);
    this.#policy = connect(PolicyServiceClient, addresses.policy, channel);
    this.#generators = addresses.generators.map((address) => connect(GeneratorServiceClient, address, channel));
    this.#pool = new MemberPool(this.#generators);
    this.#sweepTimeoutMs = timeouts.sweepTimeoutMs ?? 3_600_000;
    this.#callTimeoutMs = timeouts.callTimeoutMs ?? 600_000;
  }

  /** Closes the channels. */
  close(): void {
    for (const client of [this.#encoder, this.#reward, this.#policy, ...this.#generators]) client.close();
  }

  async describe(signal?: AbortSignal): Promise<PeerInfo> {
    const options = this.#options(signal);
    const [encoder, policy, metrics, ...generators] = await Promise.all([
      callUnary(this.#encoder, 'getInfo', {}, options),
      callUnary(this.#policy, 'getInfo', {}, options),
      callUnary(this.#reward, 'listMetrics', {}, options),
      ...this.#generators.map((generator) => callUnary(generator, 'getInfo', {}, options)),
    ]);
    return { encoder, policy, generators, reward: { metrics: metrics.metrics, encoderId: metrics.encoderId } };
  }

  async encode(texts: readonly string[], signal?: AbortSignal): Promise<Embedding[]> {
    const inputs = texts.map((text) => ({ text }));
    const { embeddings } = await callUnary(this.#encoder, 'encode', { inputs }, this.#options(signal));
    return sameLength('encoder', embeddings, texts.length);
  }

  async selectActions(
    embeddings: readonly Embedding[],
    { explore, beta }: SelectionMode,
    signal?: AbortSignal,
  ): Promise<Choice[]> {
    const mode = { explore, ...(beta === undefined ? {} : { beta }) };
    const choices: Choice[] = [];
    for (const part of parts(embeddings, selectBatch)) {
      const requests = part.map((embedding) => ({ embedding, ...mode }));
      const { responses } = await callUnary(this.#policy, 'selectActions', { requests }, this.#options(signal));
      choices.push(...sameLength('policy', responses, part.length).map(choiceOf));
    }
    return choices;
  }

  async sweep(task: SweepTask, signal?: AbortSignal): Promise<SweepOutcome> {
    const request = {
      prompt: { text: task.text },
      actions: [...task.actions],
      budget: task.budget,
      recent: task.recent,
      maxNewTokens: task.maxNewTokens,
      includeFull: task.includeFull,
      scoreFull: task.scoreFull,
      truncate: true,
      maxPromptTokens: task.maxPromptTokens,
      wrap: task.wrap,
    };
    const options = this.#options(signal, this.#sweepTimeoutMs);
    const answer = await this.#pool.run((generator) => callUnary(generator, 'sweep', request, options), signal);
    const wantsFull = task.includeFull || task.scoreFull;
    if (wantsFull && answer.full === null) throw malformed('generator', 'the text of the full cache is missing');
    const tokens = wantsFull ? answer.full!.tokenIds.length : 0;
    const swept = ({ text, logProbs }: SweptText): SweptText => ({
      text,
      logProbs: task.scoreFull ? sameLength('generator', logProbs, tokens) : [],
    });
    return {
      full: wantsFull ? swept(answer.full!) : undefined,
      texts: sameLength('generator', answer.results, task.actions.length).map(swept),
      promptTokens: answer.promptTokens,
      keptTokens: answer.keptTokens,
    };
  }

  async score(tasks: readonly ScoreTask[], signal?: AbortSignal): Promise<number[]> {
    const scores: number[] = [];
    for (const part of parts(tasks, scoreBatch)) {
      const items = part.map((task) => ({
        metric: task.metric,
        prediction: task.prediction,
        references: [...task.references],
        allClasses: [...task.allClasses],
        dataset: task.dataset,
        logProbs: [...task.logProbs],
      }));
      const answer = await callUnary(this.#reward, 'score', { items }, this.#options(signal));
      scores.push(...sameLength('reward', answer.scores, part.length));
    }
    const bad = scores.find((score) => !(score >= 0 && score <= 1));
    if (bad !== undefined) throw malformed('reward', `a score must be in 0..1, got ${bad}`);
    return scores;
  }

  async update(updateId: string, experiences: readonly Experience[]): Promise<UpdateResult> {
    const request = { updateId, experiences: experiences.map((experience) => ({ ...experience })) };
    const { predictionLoss, skipped } = await callUnary(this.#policy, 'update', request, this.#options());
    return { predictionLoss, skipped };
  }

  async exportCheckpoint(iteration: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    const stream = callServerStream(this.#policy, 'exportCheckpoint', { iteration }, this.#options());
    for await (const { data } of stream) chunks.push(data);
    return Buffer.concat(chunks);
  }

  async importCheckpoint(bytes: Uint8Array): Promise<void> {
    const messages = function* () {
      for (let start = 0; start < bytes.length; start += checkpointChunk) {
        yield { data: bytes.subarray(start, start + checkpointChunk) };
      }
    };
    await callClientStream(this.#policy, 'importCheckpoint', messages(), this.#options());
  }

  #options(signal?: AbortSignal, timeoutMs = this.#callTimeoutMs): CallOptions {
    return signal === undefined ? { timeoutMs } : { timeoutMs, signal };
  }
}

function choiceOf({ action, actionIndex, predictedReward, uncertainty }: SelectActionResponseOutput): Choice {
  if (action === null) throw malformed('policy', 'a choice without an action');
  return { action, actionIndex, predictedReward, uncertainty };
}

function* parts<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

function sameLength<T extends readonly unknown[]>(peer: string, answers: T, asked: number): T {
  if (answers.length === asked) return answers;
  throw malformed(peer, `${asked} items were asked for, ${answers.length} answered`);
}

function malformed(peer: string, problem: string): A2sfError {
  return new A2sfError('INTERNAL', `${peer}: ${problem}`, { field: peer, reason: 'malformed-answer' });
}
