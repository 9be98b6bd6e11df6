import {
  EncoderServiceClient,
  RewardServiceClient,
  type EncoderServiceStub,
  type GeneratorServiceStub,
  type RewardServiceStub,
} from '@a2sf/contracts';
import { callUnary, connect, type ConnectOptions } from '@a2sf/grpc-runtime';
import { malformed, parts, sameLength } from './answers.js';
import { GeneratorMembers, type ResolveName } from './generator-members.js';
import { GrpcPolicy, type PeerPatience } from './grpc-policy.js';
import { MemberPool, type MemberFault } from './member-pool.js';
import type { Embedding, PeerInfo, Peers, ScoreTask, SweepOutcome, SweepTask } from './peers.js';
import { SweepCheck } from './sweep-check.js';

/** Where the services are. */
export interface PeerAddresses {
  readonly encoder: string;
  /** At least one; `dns:///name:port` stands for all addresses of the name. */
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

/** How the services are called. */
export interface PeerOptions extends Pick<ConnectOptions, 'security'>, PeerPatience {
  /** Told of a generator that was not reachable or not right; its calls are tried elsewhere. Must not throw. */
  readonly onGeneratorFault?: (fault: MemberFault) => void;
  /** How names of generators are resolved. Default: by the system. */
  readonly resolve?: ResolveName;
  /** Between two resolutions of them. Default 30 s. */
  readonly resolveEveryMs?: number;
}

/** Items per call, below the limit that the service has by default. */
const scoreBatch = 256;

/** The four services over gRPC. */
export class GrpcPeers extends GrpcPolicy implements Peers {
  readonly #encoder: EncoderServiceStub;
  readonly #reward: RewardServiceStub;
  readonly #generators: GeneratorMembers;
  readonly #pool: MemberPool<GeneratorServiceStub>;
  readonly #check: SweepCheck<GeneratorServiceStub>;
  readonly #sweepTimeoutMs: number;

  /** @param options default: plaintext. */
  constructor(addresses: PeerAddresses, timeouts: PeerTimeouts = {}, options: PeerOptions = {}) {
    const { onGeneratorFault, resolve, resolveEveryMs, patienceMs: _, onAway: __, onBack: ___, ...channel } = options;
    super(addresses.policy, timeouts, options);
    this.#encoder = connect(EncoderServiceClient, addresses.encoder, channel);
    this.#reward = connect(RewardServiceClient, addresses.reward, channel);
    this.#pool = new MemberPool<GeneratorServiceStub>(
      [],
      onGeneratorFault === undefined ? {} : { onFault: onGeneratorFault },
    );
    this.#generators = new GeneratorMembers(addresses.generators, this.#pool, {
      channel,
      ...(resolve === undefined ? {} : { resolve }),
      ...(resolveEveryMs === undefined ? {} : { resolveEveryMs }),
    });
    this.#check = new SweepCheck((member, fault) => this.#pool.accuse(member, fault));
    this.#sweepTimeoutMs = timeouts.sweepTimeoutMs ?? 3_600_000;
  }

  override close(): void {
    super.close();
    for (const client of [this.#encoder, this.#reward, this.#generators]) client.close();
  }

  /** Generators that are known, and those of them that are not passed over. */
  generatorCount(): { readonly known: number; readonly usable: number } {
    return { known: this.#pool.members.length, usable: this.#pool.usable };
  }

  async describe(signal?: AbortSignal): Promise<PeerInfo> {
    const options = this.options(signal);
    await this.#generators.ready();
    const [encoder, policy, metrics, ...generators] = await Promise.all([
      callUnary(this.#encoder, 'getInfo', {}, options),
      this.describePolicy(signal),
      callUnary(this.#reward, 'listMetrics', {}, options),
      ...this.#pool.members.map((generator) => callUnary(generator, 'getInfo', {}, options)),
    ]);
    const [first] = generators;
    if (first !== undefined) this.#generators.modelId = first.modelId;
    return { encoder, policy, generators, reward: { metrics: metrics.metrics, encoderId: metrics.encoderId } };
  }

  async encode(texts: readonly string[], signal?: AbortSignal): Promise<Embedding[]> {
    const inputs = texts.map((text) => ({ text }));
    const { embeddings } = await callUnary(this.#encoder, 'encode', { inputs }, this.options(signal));
    return sameLength('encoder', embeddings, texts.length);
  }

  async sweep(task: SweepTask, signal?: AbortSignal): Promise<SweepOutcome> {
    const request = {
      prompt: { text: task.text },
      actions: [...task.actions],
      compressions: [...(task.compressions ?? [])],
      budget: task.budget,
      recent: task.recent,
      maxNewTokens: task.maxNewTokens,
      includeFull: task.includeFull,
      scoreFull: task.scoreFull,
      truncate: true,
      maxPromptTokens: task.maxPromptTokens,
      wrap: task.wrap,
    };
    const options = this.once(signal, this.#sweepTimeoutMs);
    const outcomeOf = this.#check.of(task);
    await this.#generators.ready();
    const sweepOn = async (generator: GeneratorServiceStub): Promise<SweepOutcome> =>
      outcomeOf(await callUnary(generator, 'sweep', request, options), generator);
    return this.patiently(() => this.#pool.run(sweepOn, signal), signal);
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
      const answer = await callUnary(this.#reward, 'score', { items }, this.options(signal));
      scores.push(...sameLength('reward', answer.scores, part.length));
    }
    const bad = scores.find((score) => !(score >= 0 && score <= 1));
    if (bad !== undefined) throw malformed('reward', `a score must be in 0..1, got ${bad}`);
    return scores;
  }
}
