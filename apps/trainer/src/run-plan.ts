import { readFileSync } from 'node:fs';
import { defaultAgent } from '@a2sf/bandit';
import { promptTokensOf } from '@a2sf/datasets';
import { A2sfError } from '@a2sf/errors';
import { ActionSpace } from '@a2sf/kv-compression';
import {
  definitionHash,
  promptSetHash,
  RewardRule,
  runIdOf,
  type PeerInfo,
  type PromptSets,
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

/** Throws FAILED_PRECONDITION when the generators serve different models. */
export function planRun(values: TrainerOptions, peers: PeerInfo, prompts: PromptSets): RunPlan {
  const [generator, ...others] = peers.generators;
  const modelId = generator!.modelId;
  const other = others.find((info) => info.modelId !== modelId);
  if (other !== undefined) {
    const message = `generators: they serve different models, ${modelId} and ${other.modelId}`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'generators', reason: 'different-models' });
  }
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
    agent: defaultAgent,
    hyperParameters: {
      lr: values.lr,
      ucbBeta: values.ucbBeta,
      uncertaintyCoef: values.uncertaintyCoef,
      maxGradNorm: values.maxGradNorm,
    },
    episodesPerUpdate: values.episodesPerUpdate,
    reward: reward.name,
    generation,
    aValues: space.aValues,
    bValues: space.bValues,
    identities: {
      modelId,
      encoderId: peers.encoder.encoderId,
      trainHash: promptSetHash(prompts.train),
      evaluationHash: promptSetHash(prompts.evaluation),
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
      encoder_id: definition.identities.encoderId,
      reward_encoder_id: peers.reward.encoderId,
      embedding_dimension: peers.encoder.dimension,
      train_prompts: prompts.train.length,
      train_hash: definition.identities.trainHash,
      evaluation_prompts: prompts.evaluation.length,
      evaluation_hash: definition.identities.evaluationHash,
      options: recordOptions(options, values),
    },
  };
}
