import { boolean, listOf, oneOf, option, resolveOptions, text, usageError } from '@a2sf/config';
import { EncoderServiceClient, GeneratorServiceClient, RewardServiceClient } from '@a2sf/contracts';
import { promptTokensOf } from '@a2sf/datasets';
import { A2sfError } from '@a2sf/errors';
import { callUnary, connect } from '@a2sf/grpc-runtime';
import { buildStore, dataFilesOf, readRowFiles, removeStore, storePrompts } from '@a2sf/reward-store';
import type { RowFiles, StoreProvenance, StorePrompts } from '@a2sf/reward-store';
import { options as trainerOptions, requireSweepable, spaceOf } from '@a2sf/trainer-app';
import { promptSetHash, RewardRule } from '@a2sf/training';
import { BusySeconds } from './busy-seconds.js';
import { wordsAs } from './dataset.js';
import { progressLine, stoppable, withPeers } from './dataset-run.js';
import { addressOptions, modelOptions, servicesOf, type Services } from './dataset-services.js';
import { storedRewards } from './stored-rewards.js';
import { suiteVersion } from './suite-version.js';

const { budget, budgets, recent, maxNewTokens, maxPromptTokens, aValues, bValues } = trainerOptions;

/** Prompts in work per generator: those behind a slow one that the others may run ahead by. */
const windowPerGenerator = 32;

export const rewardsOption = option({
  schema: listOf(text({ maxLength: 300 }), { min: 1, max: 64 }),
  list: true,
  description:
    'rewards, several side by side: metrics (rouge_l, cosine, ...), log_prob, mix:<name>=<weight>,..., dataset',
  default: ['rouge_l'],
  group: 'Rewards',
});

const options = {
  data: option({
    schema: listOf(text(), { min: 1, max: 10_000 }),
    list: true,
    description: 'data files, or folders of .jsonl files; may be given without --data, as the first words',
    group: 'Data',
  }),
  output: option({ schema: text(), description: 'folder of the store', group: 'Data' }),
  overwrite: option({ schema: boolean, description: 'delete the store that is there', default: false, group: 'Data' }),
  maxPromptTokens,
  budget,
  budgets,
  recent,
  maxNewTokens,
  actions: option({
    schema: oneOf(['all', 'none']),
    description: 'all: every action of the space on every prompt; none: the full cache alone',
    default: 'all',
    group: 'Rewards',
  }),
  aValues,
  bValues,
  rewards: rewardsOption,
  ...modelOptions,
  ...addressOptions,
};
type BuildOptions = ReturnType<typeof resolveOptions<typeof options>>['values'];

/** `a2sf dataset build`: a store of rewards. */
export async function build(argv: readonly string[]): Promise<void> {
  const command = {
    name: 'a2sf dataset build FILE...',
    description:
      'Computes the full-cache text, the embedding and the rewards of every action on every prompt, once. Stopped or killed, the same command goes on where it was.',
  };
  const { values, sources } = resolveOptions(command, options, wordsAs('data', argv).flatMap(commasApart));
  const { data, output } = values;
  if (data === undefined) throw usageError(['--data: name the data files']);
  if (output === undefined) throw usageError(['--output: name the folder of the store']);
  if (sources.budget !== 'default' && values.budgets !== undefined) {
    throw usageError(['--budget: not with --budgets, which is in its place']);
  }
  if (values.actions === 'all') requireSweepable(spaceOf(values));
  const files = await readRowFiles(await dataFilesOf(data));
  const set = storePrompts(files.rows, values.modelName ?? '');
  for (const note of set.notes) process.stderr.write(`a2sf: ${note}\n`);
  if (values.overwrite) await removeStore(output);
  await stoppable('the same command goes on where it was', async (signal) => {
    const services = await servicesOf(values, ['generators', 'encoder', 'rewardService'], signal);
    await withPeers(services, async (peers) => {
      const rewards = values.rewards.map((name) => new RewardRule(name));
      for (const rule of rewards) await rule.check(peers, set.prompts, signal);
      const provenance = await provenanceOf(values, services, files, set, signal);
      const stored = await rewardIdentities(services, rewards, signal);
      const progress = progressLine('prompts');
      const busy = new BusySeconds();
      const manifest = await buildStore(
        {
          folder: output,
          definition: { provenance, rewards: stored },
          prompts: set.prompts,
          rewards,
          peers: busy.of({
            encode: (...args) => peers.encode(...args),
            sweep: (...args) => peers.sweep(...args),
            score: (...args) => peers.score(...args),
          }),
          window: windowPerGenerator * services.generators.length,
          onProgress: (done, of, keptAll) => progress(done, of, keptAll === 0 ? '' : `, ${keptAll} fit the budget`),
        },
        signal,
      );
      const { rows, kept_all: keptAll } = manifest.counts!;
      const names = manifest.rewards.map(({ name }) => name).join(', ');
      process.stdout.write(`${output}: ${rows} prompts with ${names}; ${keptAll} fit the budget and were left out\n`);
      process.stdout.write(`time: ${busy.toString()}\n`);
    });
  });
}

/** Lists of rewards may be written with commas, but for those of a mix. */
export function commasApart(word: string): string[] {
  return /^[a-z_0-9]+(?:,[a-z_0-9]+)+$/.test(word) ? word.split(',') : [word];
}

/** What the reward service is, once it has loaded what the rewards need. */
async function rewardIdentities({ reward, security }: Services, rules: readonly RewardRule[], signal: AbortSignal) {
  const client = connect(RewardServiceClient, reward, { security });
  try {
    const { encoderId } = await callUnary(client, 'listMetrics', {}, { timeoutMs: 60_000, signal });
    return storedRewards(rules, encoderId);
  } finally {
    client.close();
  }
}

/** All that the rows follow from. Throws FAILED_PRECONDITION when the generators serve different models. */
async function provenanceOf(
  values: BuildOptions,
  { generators, encoder, security }: Services,
  { files }: RowFiles,
  { prompts }: StorePrompts,
  signal: AbortSignal,
): Promise<StoreProvenance> {
  const call = { timeoutMs: 60_000, signal };
  const encoderClient = connect(EncoderServiceClient, encoder, { security });
  const clients = generators.map((address) => connect(GeneratorServiceClient, address, { security }));
  try {
    const { encoderId, dimension } = await callUnary(encoderClient, 'getInfo', {}, call);
    const infos = await Promise.all(clients.map((client) => callUnary(client, 'getInfo', {}, call)));
    const models = [...new Set(infos.map(({ modelId, dtype }) => `${modelId} in ${dtype}`))];
    if (models.length > 1) {
      const message = `generators: they serve different models, ${models.join(' and ')}`;
      throw new A2sfError('FAILED_PRECONDITION', message, { field: 'generators', reason: 'different-models' });
    }
    const space = spaceOf(values);
    const { budgets } = space;
    return {
      code_version: suiteVersion(),
      model_id: infos[0]!.modelId,
      dtype: infos[0]!.dtype,
      encoder_id: encoderId,
      embedding_dimension: dimension,
      data: files,
      prompts: prompts.length,
      prompts_sha256: promptSetHash(prompts),
      actions: values.actions,
      a_values: space.aValues,
      b_values: space.bValues,
      ...(budgets.length === 0 ? {} : { budgets }),
      budget: budgets[0] ?? values.budget,
      recent: values.recent,
      max_new_tokens: values.maxNewTokens,
      max_prompt_tokens: values.maxPromptTokens ?? promptTokensOf(values.modelName ?? '') ?? 0,
    };
  } finally {
    for (const client of [encoderClient, ...clients]) client.close();
  }
}
