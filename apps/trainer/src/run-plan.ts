import { readFileSync } from 'node:fs';
import { promptTokensOf } from '@a2sf/datasets';
import { A2sfError } from '@a2sf/errors';
import { ActionSpace } from '@a2sf/kv-compression';
import {
  definitionHash,
  RewardRule,
  runIdOf,
  type PeerInfo,
  type RunDefinition,
  type TrainingSettings,
} from '@a2sf/training';
import { options, type TrainerOptions } from './options.js';
import { recordOptions } from './recorded-options.js';

/** Version of the suite, as config.json records it. */
const { version: suiteVersion } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

/** All of a run that follows from its flags, its peers and its data. */
export interface RunPlan {
  readonly definition: RunDefinition;
  readonly configHash: string;
  readonly settings: TrainingSettings;
  /** What config.json holds. */
  readonly config: object;
}

/** Who gives a run its numbers. */
export interface Participants {
  /** Identity of the language model. */
  readonly modelId: string;
  readonly encoderId: string;
  /** Length of the encoder's embeddings. */
  readonly dimension: number;
  /** Identity of the encoder behind the reward; empty for none. */
  readonly rewardEncoderId: string;
}

/** One side of a run's prompts. */
export interface Side {
  readonly size: number;
  readonly hash: string;
}

/** The prompts of a run. */
export interface Sides {
  readonly train: Side;
  readonly evaluation: Side;
}

/** Who the peers are. Throws FAILED_PRECONDITION when the generators serve different models. */
export function participantsOf({ encoder, generators, reward }: PeerInfo): Participants {
  const [generator, ...others] = generators;
  const modelId = generator!.modelId;
  const other = others.find((info) => info.modelId !== modelId);
  if (other !== undefined) {
    const message = `generators: they serve different models, ${modelId} and ${other.modelId}`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'generators', reason: 'different-models' });
  }
  const { encoderId, dimension } = encoder;
  return { modelId, encoderId, dimension, rewardEncoderId: reward.encoderId };
}

/** The plan of a run. */
export function planRun(values: TrainerOptions, participants: Participants, { train, evaluation }: Sides): RunPlan {
  const { modelId, encoderId, dimension, rewardEncoderId } = participants;
  const space = new ActionSpace(values.aValues, values.bValues);
  const reward = new RewardRule(values.reward);
  const generation = {
    budget: values.budget,
    recent: values.recent,
    maxNewTokens: values.maxNewTokens,
    maxPromptTokens: values.maxPromptTokens ?? promptTokensOf(values.modelName ?? '') ?? 0,
  };
  const definition: RunDefinition = {
    seed: values.seed,
    agent: values.agent,
    hyperParameters: {
      lr: values.lr,
      ucbBeta: values.ucbBeta,
      uncertaintyCoef: values.uncertaintyCoef,
      maxGradNorm: values.maxGradNorm,
    },
    episodesPerUpdate: values.episodesPerUpdate,
    ...(values.feedback === 'bandit' ? {} : { feedback: values.feedback }),
    reward: reward.name,
    generation,
    aValues: space.aValues,
    bValues: space.bValues,
    identities: {
      modelId,
      encoderId,
      trainHash: train.hash,
      evaluationHash: evaluation.hash,
    },
  };
  const configHash = definitionHash(definition);
  const runId = runIdOf(definition);
  return {
    definition,
    configHash,
    settings: {
      iterations: values.iterations,
      episodesPerUpdate: values.episodesPerUpdate,
      feedback: values.feedback,
      patience: values.patience,
      beta: values.ucbBeta,
      seed: values.seed,
      runId,
      space,
      hyperParameters: definition.hyperParameters,
      reward,
      generation,
      modelId,
      evalFrequency: values.evalFrequency,
      logFrequency: values.logFrequency,
      checkpointFrequency: values.checkpointFrequency ?? values.evalFrequency,
    },
    config: {
      format_version: 1,
      suite_version: suiteVersion,
      node_version: process.versions.node,
      run_id: runId,
      config_hash: configHash,
      agent: definition.agent,
      model_id: modelId,
      encoder_id: encoderId,
      reward_encoder_id: rewardEncoderId,
      embedding_dimension: dimension,
      train_prompts: train.size,
      train_hash: train.hash,
      evaluation_prompts: evaluation.size,
      evaluation_hash: evaluation.hash,
      options: recordOptions(options, values),
    },
  };
}
