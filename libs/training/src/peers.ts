import type {
  Compression,
  EmbeddingOutput,
  EncoderInfoResponseOutput,
  GeneratorInfoResponseOutput,
  PolicyInfoResponseOutput,
  PromptWrapOutput,
} from '@a2sf/contracts';
import type { Action } from '@a2sf/kv-compression';

/** The vector that an encoder made of a prompt. */
export type Embedding = EmbeddingOutput;

/** The action that the policy chose for one prompt. */
export interface Choice {
  readonly action: Action;
  readonly actionIndex: number;
  readonly predictedReward: number;
  readonly uncertainty: number;
  /** Lower confidence bound of the predicted reward, where it was asked for. */
  readonly lowerBound?: number;
}

/** How the policy is to choose: with the exploration bonus of weight `beta`, or greedily. */
export interface SelectionMode {
  readonly explore: boolean;
  readonly beta?: number;
  /** Tell the lower bound of each choice. */
  readonly withLowerBound?: boolean;
  /** One for each embedding: the name of its group, such as its dataset; empty for none. */
  readonly keys?: readonly string[];
}

/** One prompt to be decoded under one or many actions. */
export interface SweepTask {
  readonly text: string;
  /** Never empty: the trainer always names the actions. */
  readonly actions: readonly Action[];
  /** More ways to compress, whose texts follow those of the actions. */
  readonly compressions?: readonly Compression[];
  /** Keys kept per layer and KV head under actions that name no budget; where they do, the smallest of theirs. */
  readonly budget: number;
  /** The last of them that are kept unconditionally; 0 means the default rule. */
  readonly recent: number;
  readonly maxNewTokens: number;
  /** Also decode from the full cache. */
  readonly includeFull: boolean;
  /** Also tell how probable the full cache's tokens are with each cache; asks for `includeFull` too. */
  readonly scoreFull: boolean;
  readonly wrap: PromptWrapOutput;
  /** Tokens at most, before wrapping; 0 means the server's limit. A longer prompt is cut, never refused. */
  readonly maxPromptTokens: number;
}

/** What one cache gave. */
export interface SweptText {
  readonly text: string;
  /** ln P of each token of the full cache's text with this cache, all before it forced; empty without `scoreFull`. */
  readonly logProbs: readonly number[];
}

/** What a sweep gave. */
export interface SweepOutcome {
  /** With the full cache; undefined when it was not asked for. */
  readonly full: SweptText | undefined;
  /** One per action and compression, in the order asked. */
  readonly texts: readonly SweptText[];
  readonly promptTokens: number;
  readonly keptTokens: number;
}

/** One text to score. */
export interface ScoreTask {
  /** Metric name; empty means the dataset's own metric. */
  readonly metric: string;
  readonly prediction: string;
  readonly references: readonly string[];
  readonly allClasses: readonly string[];
  readonly dataset: string;
  /** For metrics that score probabilities; empty for others. */
  readonly logProbs: readonly number[];
}

/** What the policy learns from. */
export interface Experience {
  /** Unique over the policy's life. */
  readonly id: string;
  readonly embedding: Embedding;
  readonly actionIndex: number;
  /** In 0..1. */
  readonly reward: number;
  /** The rewards of all actions, in the order of the space, where they are known: they are then learnt from. */
  readonly rewards?: readonly number[];
  /** Name of the prompt's group; empty for none. */
  readonly key?: string;
}

/** What an update did. */
export interface UpdateResult {
  /** Mean squared error of the predictions for the tried actions, before the step. */
  readonly predictionLoss: number;
  /** Experiences that the policy had learnt from before. */
  readonly skipped: number;
}

/** Who the peers are. */
export interface PeerInfo {
  readonly encoder: EncoderInfoResponseOutput;
  /** One entry per generator, in the order given. */
  readonly generators: readonly GeneratorInfoResponseOutput[];
  readonly policy: PolicyInfoResponseOutput;
  readonly reward: { readonly metrics: readonly string[]; readonly encoderId: string };
}

/** The policy as the trainer sees it. Every call may reject with an A2sfError; `signal` abandons it. */
export interface PolicyPeer {
  /** Asks the policy who it is. */
  describePolicy(signal?: AbortSignal): Promise<PolicyInfoResponseOutput>;
  /** Chooses one action per embedding, order kept; changes nothing in the policy. */
  selectActions(embeddings: readonly Embedding[], mode: SelectionMode, signal?: AbortSignal): Promise<Choice[]>;
  /** One learning step; the same `updateId` twice is applied once. Takes no signal: once begun it is finished. */
  update(updateId: string, experiences: readonly Experience[]): Promise<UpdateResult>;
  /** The policy as the bytes of one safetensors file that stands at `iteration`. */
  exportCheckpoint(iteration: number): Promise<Uint8Array>;
  /** Replaces the policy. */
  importCheckpoint(bytes: Uint8Array): Promise<void>;
}

/** The four services as the trainer sees them. */
export interface Peers extends PolicyPeer {
  /** Asks every peer who it is. */
  describe(signal?: AbortSignal): Promise<PeerInfo>;
  /** Embeds texts, order kept. */
  encode(texts: readonly string[], signal?: AbortSignal): Promise<Embedding[]>;
  /** Decodes a prompt under the given actions on the least busy generator. */
  sweep(task: SweepTask, signal?: AbortSignal): Promise<SweepOutcome>;
  /** Scores texts, order kept; every score is in 0..1. */
  score(tasks: readonly ScoreTask[], signal?: AbortSignal): Promise<number[]>;
}
