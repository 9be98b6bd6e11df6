import { readFileSync } from 'node:fs';
import { defaultHidden } from '@a2sf/bandit';
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

/** The flags that make an action space. */
export type SpaceFlags = Pick<TrainerOptions, 'aValues' | 'bValues' | 'budgets' | 'recent'>;

/** The actions of a run. Throws INVALID_ARGUMENT naming the flag. */
export function spaceOf({ aValues, bValues, budgets = [], recent }: SpaceFlags): ActionSpace {
  const space = new ActionSpace(aValues, bValues, budgets);
  const [smallest] = space.budgets;
  if (smallest !== undefined && recent > smallest) {
    throw A2sfError.invalid('recent', `must be at most ${smallest}, the smallest of the budgets, got ${recent}`);
  }
  return space;
}

/** Actions that a generator tries in one sweep at most. */
const maxSweepActions = 256;

/** Throws INVALID_ARGUMENT naming the flag when a space holds more actions than one sweep can try. */
export function requireSweepable({ aValues, bValues, budgets, size }: ActionSpace): void {
  if (size <= maxSweepActions) return;
  const lengths = [aValues.length, bValues.length, ...(budgets.length === 0 ? [] : [budgets.length])];
  const problem = `${lengths.join(' x ')} values make ${size} actions, a sweep tries at most ${maxSweepActions}`;
  throw A2sfError.invalid(budgets.length === 0 ? 'b_values' : 'budgets', problem);
}

/** The plan of a run. */
export function planRun(values: TrainerOptions, participants: Participants, { train, evaluation }: Sides): RunPlan {
  const { modelId, encoderId, dimension, rewardEncoderId } = participants;
  const space = spaceOf(values);
  const reward = new RewardRule(values.reward, values.keyPrice);
  const generation = {
    budget: space.budgets[0] ?? values.budget,
    recent: values.recent,
    maxNewTokens: values.maxNewTokens,
    maxPromptTokens: values.maxPromptTokens ?? promptTokensOf(values.modelName ?? '') ?? 0,
  };
  const definition: RunDefinition = {
    seed: values.seed,
    agent: values.agent,
    ...(values.hidden === defaultHidden ? {} : { hidden: values.hidden }),
    hyperParameters: {
      lr: values.lr,
      ucbBeta: values.ucbBeta,
      uncertaintyCoef: values.uncertaintyCoef,
      maxGradNorm: values.maxGradNorm,
      ...(values.stepsPerUpdate === 1 ? {} : { stepsPerUpdate: values.stepsPerUpdate }),
    },
    episodesPerUpdate: values.episodesPerUpdate,
    ...(values.feedback === 'bandit' ? {} : { feedback: values.feedback }),
    reward: reward.name,
    ...(reward.keyPrice === 0 ? {} : { keyPrice: reward.keyPrice }),
    generation,
    aValues: space.aValues,
    bValues: space.bValues,
    ...(space.budgets.length === 0 ? {} : { budgets: space.budgets }),
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
