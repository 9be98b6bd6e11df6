import { flagOf, usageError, type Resolution } from '@a2sf/config';
import { GrpcPolicy, lookUp, readStoredPrompts } from '@a2sf/training';
import { options, type TrainerOptions } from './options.js';
import type { RunSource } from './run-source.js';

/** Flags whose values a store has, or that are of services that are not needed then. */
const decided = [
  'modelName',
  'revision',
  'contextEncoderModel',
  'contextEncoderRevision',
  'device',
  'gpus',
  'threads',
  'data',
  'maxPromptTokens',
  'budget',
  'budgets',
  'recent',
  'maxNewTokens',
  'aValues',
  'bValues',
  'generators',
  'encoder',
  'rewardService',
] as const;

/** Throws a usage error naming the flags that are given beside `--from_store` and mean nothing there, or lack it. */
export function checkStoreFlags(values: TrainerOptions, sources: Resolution<typeof options>['sources']): void {
  if (values.fromStore === undefined) {
    if (values.evalStore !== undefined) throw usageError(['--eval_store: is read only with --from_store']);
    return;
  }
  const given = decided.filter((key) => sources[key] !== 'default').map((key) => `--${flagOf(key, options[key])}`);
  if (given.length > 0) throw usageError([`${given.join(', ')}: not with --from_store, where the store decides`]);
}

/** Rows that were stored: a run that needs no service but the policy. */
export async function storeSource(values: TrainerOptions, fromStore: string): Promise<RunSource> {
  const { train, evaluation, space, provenance, rewardEncoderId, notes } = await readStoredPrompts({
    train: fromStore,
    ...(values.evalStore === undefined ? {} : { evaluation: values.evalStore }),
    reward: values.reward,
    keyPrice: values.keyPrice,
    datasets: values.datasets ?? [],
    evalSamples: values.evalSamples,
  });
  const participants = {
    modelId: provenance.model_id,
    encoderId: provenance.encoder_id,
    dimension: provenance.embedding_dimension,
    rewardEncoderId,
  };
  return {
    values: {
      ...values,
      budget: provenance.budget,
      recent: provenance.recent,
      maxNewTokens: provenance.max_new_tokens,
      maxPromptTokens: provenance.max_prompt_tokens,
      aValues: [...space.aValues],
      bValues: [...space.bValues],
      budgets: space.budgets.length === 0 ? undefined : [...space.budgets],
    },
    notes,
    sides: {
      train: { size: train.size, hash: train.hash() },
      evaluation: { size: evaluation.size, hash: evaluation.hash() },
    },
    connect: ({ policy: address }, { calling }) => {
      const policy = new GrpcPolicy(address, {}, calling);
      return Promise.resolve({
        policy,
        participants,
        parts: async (_settings, records) => {
          await evaluation.record(records.evaluationRewards);
          return { train, evaluation, settle: lookUp(train), knowsTrainRows: true };
        },
        close: () => policy.close(),
      });
    },
  };
}
