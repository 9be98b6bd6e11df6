import { createHash } from 'node:crypto';
import { restoreAgent, type Agent } from '@a2sf/bandit';
import { Random } from '@a2sf/random';
import { ActionSpace } from '@a2sf/kv-compression';
import { scoreItem, scorerNamed } from '@a2sf/rewards';
import { decodePolicyCheckpoint, encodePolicyCheckpoint, type PolicyCheckpoint } from '@a2sf/run-store';
import { lookUp, tryActions } from './episodes.js';
import { initialPolicy } from './initial-policy.js';
import { LivePrompts } from './live-prompts.js';
import type { Choice, Embedding, Experience, PeerInfo, Peers, ScoreTask, SelectionMode, SweepTask } from './peers.js';
import { PromptMemory, type EmbeddingStore } from './prompt-memory.js';
import type { Prompt } from './prompt.js';
import { RewardRule } from './reward-rule.js';
import type { TrainingContext, TrainingSettings } from './training.js';

/** A space of six actions. */
export const testSpace = new ActionSpace([0, 10], [1, 16, 64]);
/** The same with two budgets: the larger one always fits the prompts. */
export const budgetSpace = new ActionSpace([0, 10], [1, 16, 64], [32, 80]);
const dimension = 6;
/** What the full cache's own text is worth under `log_prob`. */
export const fullProbability = 0.75;
const nothing = { prediction: '', references: [], allClasses: [], dataset: '' };
const hyperParameters = { lr: 1e-2, ucbBeta: 0.5, uncertaintyCoef: 0.1, maxGradNorm: 1 };

/** The four services in memory: the policy is the real one, texts and rewards follow from the prompt's text and action. */
export class TestPeers implements Peers {
  readonly updates: { readonly id: string; readonly experiences: readonly Experience[] }[] = [];
  readonly sweeps: SweepTask[] = [];
  encoded = 0;
  /** True when all actions are to write the same text, as they do when they keep enough. */
  sameTexts = false;
  /** Called before a sweep answers; may wait or throw. */
  beforeSweep: (task: SweepTask, count: number) => Promise<void> = () => Promise.resolve();
  /** Called before an update is applied. */
  beforeUpdate: (id: string) => void = () => undefined;
  #agent: Agent | undefined;
  #checkpoint: PolicyCheckpoint | undefined;
  #version = 0;

  /** @param space the actions of the policy. */
  constructor(readonly space: ActionSpace = testSpace) {}

  describe(): Promise<PeerInfo> {
    return Promise.resolve({
      encoder: {
        model: 'test',
        dimension,
        maxTokens: 100,
        pooling: 'cls',
        device: 'cpu',
        encoderId: 'encoder-1',
        normalised: false,
      },
      generators: [],
      policy: {
        aValues: [],
        bValues: [],
        budgets: [],
        embeddingDimension: dimension,
        hyperParameters: { ...hyperParameters, stepsPerUpdate: 1, hidden: 8 },
        policyVersion: String(this.#version),
        role: 'learner',
        iteration: 0,
        encoderId: 'encoder-1',
        agent: 'neural-ucb',
        lagSeconds: 0,
        challengerVersion: '0',
      },
      reward: { metrics: ['rouge_l'], encoderId: '' },
    });
  }

  describePolicy() {
    return this.describe().then(({ policy }) => policy);
  }

  encode(texts: readonly string[], _signal?: AbortSignal): Promise<Embedding[]> {
    this.encoded += texts.length;
    return Promise.resolve(texts.map(embeddingOf));
  }

  selectActions(
    embeddings: readonly Embedding[],
    { explore, beta, withLowerBound = false }: SelectionMode,
  ): Promise<Choice[]> {
    const contexts = embeddings.map(({ values }) => Float32Array.from(values));
    const choices = this.#agent!.select(contexts, explore ? (beta ?? 1) : 0);
    return Promise.resolve(
      choices.map(({ actionIndex, prediction, uncertainty, lowerBound }) => ({
        action: this.space.at(actionIndex),
        actionIndex,
        predictedReward: prediction,
        uncertainty,
        ...(withLowerBound ? { lowerBound: lowerBound! } : {}),
      })),
    );
  }

  async sweep(task: SweepTask, signal?: AbortSignal) {
    this.sweeps.push(task);
    await this.beforeSweep(task, this.sweeps.length);
    signal?.throwIfAborted();
    const promptTokens = tokensOf(task.text);
    const swept = (action: string, logProb: number) => ({
      text: `${task.text}|${action}`,
      logProbs: task.scoreFull ? [logProb, logProb] : [],
    });
    return {
      full: task.includeFull || task.scoreFull ? swept('full', Math.log(fullProbability)) : undefined,
      texts: [
        ...task.actions.map((action) => this.space.indexOf(action)!),
        ...(task.compressions ?? []).map(() => -1),
      ].map((index) => swept(this.sameTexts ? '0' : `${index}`, Math.log(rewardOf(task.text, index)))),
      promptTokens,
      keptTokens: Math.min(promptTokens, task.budget),
    };
  }

  score(tasks: readonly ScoreTask[]): Promise<number[]> {
    return Promise.resolve(
      tasks.map(({ metric, prediction, references, logProbs }) => {
        if (metric === 'log_prob') return scoreItem(scorerNamed(metric), { ...nothing, logProbs });
        const [text, action] = prediction.split('|') as [string, string];
        if (references[0] !== `${text}|full`) throw new Error(`${prediction} was compared with ${references[0]}`);
        return rewardOf(text, Number(action));
      }),
    );
  }

  update(id: string, experiences: readonly Experience[]) {
    this.beforeUpdate(id);
    this.updates.push({ id, experiences });
    const context = ({ embedding }: Experience) => Float32Array.from(embedding.values);
    const { loss } =
      experiences[0]?.rewards === undefined
        ? this.#agent!.update(
            experiences.map((seen) => ({ ...seen, context: context(seen) })),
            hyperParameters,
          )
        : this.#agent!.updateFull(
            experiences.map((seen) => ({ context: context(seen), rewards: Float32Array.from(seen.rewards!) })),
            hyperParameters,
          );
    this.#version++;
    return Promise.resolve({ predictionLoss: loss, skipped: 0 });
  }

  exportCheckpoint(iteration: number): Promise<Uint8Array> {
    const state = this.#agent!.state();
    return Promise.resolve(
      encodePolicyCheckpoint({ ...this.#checkpoint!, state, iteration, policyVersion: this.#version }),
    );
  }

  importCheckpoint(bytes: Uint8Array): Promise<void> {
    this.#checkpoint = decodePolicyCheckpoint(bytes).checkpoint;
    this.#agent = restoreAgent(this.#checkpoint.state);
    this.#version = this.#checkpoint.policyVersion;
    return Promise.resolve();
  }
}

/** A policy that has seen nothing. */
export function testPolicy(space: ActionSpace = testSpace): Uint8Array {
  return initialPolicy({
    agent: 'neural-ucb',
    space,
    dimension,
    hidden: 8,
    seed: 7,
    hyperParameters,
    encoderId: 'encoder-1',
    configHash: 'hash',
  });
}

/** Prompts of 100 tokens and more; every fifth of them fits a budget of 64 when `short` is set. */
export function testPrompts(name: string, count: number, short = false): Prompt[] {
  return Array.from({ length: count }, (_, i) => {
    const text = `${name} ${i} ${short && i % 5 === 0 ? 'short' : 'long'}`;
    const hash = createHash('sha256').update(text).digest('hex');
    return { id: `${i}`, dataset: 'test', text, hash, answers: [], allClasses: [], wrap: 'PROMPT_WRAP_UNSPECIFIED' };
  });
}

/** The settings of a small run. */
export const testSettings: TrainingSettings = {
  iterations: 8,
  episodesPerUpdate: 6,
  feedback: 'bandit',
  patience: 0,
  beta: hyperParameters.ucbBeta,
  seed: 3,
  runId: 'run',
  space: testSpace,
  hyperParameters,
  reward: new RewardRule('rouge_l'),
  generation: { budget: 64, recent: 0, maxNewTokens: 16, maxPromptTokens: 0 },
  modelId: 'model-1',
  evalFrequency: 2,
  logFrequency: 1,
  checkpointFrequency: 2,
};

/** A run over 10 training and 6 evaluation prompts. */
export function testContext(
  peers: Peers,
  records: TrainingContext['records'],
  settings: Partial<TrainingSettings> = {},
  embeddings?: EmbeddingStore,
): TrainingContext {
  const prompts = testPrompts('train', 10, true);
  const all = { ...testSettings, ...settings };
  const memory = new PromptMemory(prompts, embeddings);
  const context = { ...all, peers };
  const train = new LivePrompts(memory, context, records.trainRewards);
  return {
    settings: all,
    policy: peers,
    train,
    settle: all.feedback === 'full' ? lookUp(train) : tryActions({ ...context, memory }),
    knowsTrainRows: all.feedback === 'full',
    evaluation: new LivePrompts(
      new PromptMemory(testPrompts('evaluation', 6, true), embeddings),
      context,
      records.evaluationRewards,
    ),
    promptOf: (episode) => (episode * 7) % prompts.length,
    records,
    observer: {},
  };
}

/** The reward of an action: the table that the policy is to learn. */
export function rewardOf(text: string, actionIndex: number): number {
  return new Random(seedOf(`${text} ${actionIndex}`)).uniform();
}

export function tokensOf(text: string): number {
  return text.endsWith('short') ? 40 : 100 + text.length;
}

function embeddingOf(text: string): Embedding {
  const random = new Random(seedOf(text));
  const values = Array.from({ length: dimension }, () => Math.fround(random.uniform() - 0.5));
  return { values, tokens: text.length, truncated: false, empty: false, encoderId: 'encoder-1' };
}

function seedOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32LE(0);
}
