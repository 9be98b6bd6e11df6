import { option, resolveOptions, text, usageError } from '@a2sf/config';
import { RewardServiceClient } from '@a2sf/contracts';
import { callUnary, connect } from '@a2sf/grpc-runtime';
import { RewardStore, scoreStore } from '@a2sf/reward-store';
import { RewardRule, type Prompt } from '@a2sf/training';
import { wordsAs } from './dataset.js';
import { commasApart, rewardsOption } from './dataset-build.js';
import { progressLine, stoppable, withPeers } from './dataset-run.js';
import { encoderModelOptions, rewardAddressOptions, servicesOf } from './dataset-services.js';
import { storedRewards } from './stored-rewards.js';

const options = {
  store: option({
    schema: text(),
    description: 'folder of the store; may be given without --store, as the first word',
  }),
  rewards: rewardsOption,
  ...encoderModelOptions,
  ...rewardAddressOptions,
};

/** Rows that are scored at the same time. */
const window = 8;

/** `a2sf dataset score`: more rewards of a store. */
export async function score(argv: readonly string[]): Promise<void> {
  const command = {
    name: 'a2sf dataset score STORE',
    description: 'Adds rewards to a finished store from the texts that it holds; nothing is generated.',
  };
  const { values } = resolveOptions(command, options, wordsAs('store', argv).flatMap(commasApart));
  const { store: folder } = values;
  if (folder === undefined) throw usageError(['--store: name the folder of the store']);
  const samples = await samplesOf(await RewardStore.open(folder));
  await stoppable('the store is as it was', async (signal) => {
    const services = await servicesOf(values, ['rewardService'], signal);
    await withPeers(services, async (peers) => {
      const rules = values.rewards.map((name) => new RewardRule(name));
      for (const rule of rules) await rule.check(peers, samples, signal);
      const client = connect(RewardServiceClient, services.reward, { security: services.security });
      const { encoderId } = await callUnary(client, 'listMetrics', {}, { timeoutMs: 60_000, signal }).finally(() =>
        client.close(),
      );
      const stored = storedRewards(rules, encoderId);
      const rewards = rules.map((rule, i) => ({
        name: rule.name,
        needsLogProbs: rule.needsLogProbs,
        fullEarnsOne: rule.fullEarnsOne,
        stored: stored[i]!,
        task: (row: Omit<Prompt, 'text' | 'hash' | 'wrap'>, outcome: Parameters<RewardRule['task']>[1], full: string) =>
          rule.task(withoutText(row), outcome, full),
      }));
      const progress = progressLine('prompts');
      const manifest = await scoreStore(
        { folder, rewards, window, score: peers.score.bind(peers), onProgress: progress },
        signal,
      );
      process.stdout.write(`${folder}: ${manifest.rewards.map(({ name }) => name).join(', ')}\n`);
    });
  });
}

/** One prompt of each dataset, and one without answers when there is one: what the check of a reward looks at. */
async function samplesOf(store: RewardStore): Promise<Prompt[]> {
  const samples = new Map<string, Prompt>();
  for await (const row of store.rows()) {
    const key = row.answers.length === 0 ? '' : row.dataset;
    if (!samples.has(key)) samples.set(key, withoutText(row));
  }
  return [...samples.values()];
}

/** A stored row as a prompt: a store does not keep the prompt's text, and no reward looks at it. */
function withoutText({ id, dataset, answers, allClasses }: Omit<Prompt, 'text' | 'hash' | 'wrap'>): Prompt {
  return { id, dataset, answers, allClasses, text: '', hash: '', wrap: 'PROMPT_WRAP_UNSPECIFIED' };
}
