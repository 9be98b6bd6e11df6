import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lookUp } from './episodes.js';
import { everyIndex } from './known-prompts.js';
import { claimFolder, RunFolder, type FolderUse } from './run-folder.js';
import { budgetSpace, rewardOf, TestPeers, testPolicy, testSettings, testSpace } from './peers.fixture.js';
import { seededBy, storePromptsOf, writeStore, type SyntheticStore } from './store.fixture.js';
import { readStoredPrompts, type StoreSelection } from './stored-prompts.js';
import { train, type TrainingSettings, type TrainingStart } from './training.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-from-store-'));
after(() => rmSync(root, { recursive: true, force: true }));

const embeddingOf = (text: string) => {
  const random = seededBy(text);
  return Array.from({ length: 6 }, () => Math.fround(random.uniform() - 0.5));
};
const storeOf = (name: string, change: Partial<SyntheticStore> = {}): SyntheticStore => ({
  folder: join(root, name),
  space: testSpace,
  prompts: storePromptsOf('stored', 30),
  rewardOf,
  embeddingOf,
  dimension: 6,
  tokensOf: (text) => (text.endsWith('7') ? 50 : 100),
  ...change,
});
const main = storeOf('main');
await writeStore(main);
await writeStore(storeOf('held', { prompts: storePromptsOf('stored', 36).slice(24) }));
await writeStore(storeOf('other', { modelId: 'model-2' }));

await writeStore(storeOf('budgets', { space: budgetSpace }));

const select = (change: Partial<StoreSelection> = {}) =>
  readStoredPrompts({ train: main.folder, reward: 'rouge_l', datasets: [], evalSamples: 0, ...change });

test('a store is split by the hashes of its prompts, without those that fit the budget', async () => {
  const { train, evaluation, notes } = await select();
  assert.equal(train.size + evaluation.size, 27);
  assert.ok(evaluation.size > 0 && evaluation.size < train.size);
  const [mine, held] = await Promise.all([train, evaluation].map((side) => side.rows(everyIndex(side))));
  const hashes = [...mine!, ...held!].map(({ hash }) => hash);
  assert.equal(new Set(hashes).size, 27);
  assert.ok(Math.max(...held!.map(({ hash }) => parseInt(hash.slice(0, 8), 16))) < 0.2 * 2 ** 32);
  assert.match(notes.join(), /3 prompts fit the budget/);
});

test('a row holds the rewards and the embedding that were stored, under the reward that is chosen', async () => {
  const { train } = await select();
  const halved = (await select({ reward: 'halved' })).train;
  const [line] = await train.rows([3]);
  const text = main.prompts.find(({ hash }) => hash === line!.hash)!.text;
  const wanted = [0, 1, 2, 3, 4, 5].map((action) => rewardOf(text, action));
  assert.deepEqual(line!.rewards, wanted);
  const [half] = await halved.rows([3]);
  assert.deepEqual(
    half!.rewards,
    wanted.map((reward) => 0.5 * reward),
  );
  assert.notEqual(half!.key, line!.key);
  const [embedding] = await train.embeddings([3]);
  assert.deepEqual(embedding!.values, embeddingOf(text));
  assert.notEqual(train.hash(), halved.hash());
  assert.equal(train.hash(), (await select()).train.hash());
});

test('a second store is evaluated on, its prompts are left out of training', async () => {
  const { train, evaluation, notes } = await select({ evaluation: join(root, 'held') });
  // 24..35 without 27; of the 27 of the first store 24, 25, 26, 28, 29 stand in it.
  assert.deepEqual([train.size, evaluation.size], [22, 11]);
  assert.match(notes.join(), /5 training prompts are evaluation prompts too/);
});

test('what cannot be trained on is refused by the name of its flag', async () => {
  await assert.rejects(select({ reward: 'cosine' }), {
    code: 'INVALID_ARGUMENT',
    field: 'reward',
    message: /holds: rouge_l, halved$/,
  });
  await assert.rejects(select({ train: join(root, 'none') }), { field: 'from_store' });
  await assert.rejects(select({ evaluation: join(root, 'none') }), { field: 'eval_store' });
  await assert.rejects(select({ datasets: ['even', 'none'] }), { field: 'datasets' });
  await assert.rejects(select({ evaluation: join(root, 'other') }), {
    code: 'FAILED_PRECONDITION',
    reason: 'different-stores',
    message: /model_id "model-2" and not "model-1"/,
  });
});

async function ended<T>(running: Promise<T>, records: RunFolder): Promise<T> {
  try {
    return await running;
  } finally {
    await records.close();
  }
}

async function runIn(
  folder: string,
  settings: Partial<TrainingSettings>,
  use: FolderUse = { kind: 'new' },
  start: TrainingStart = { iteration: 0, checkpoint: testPolicy(), write: true },
  peers = new TestPeers(),
) {
  const { train: prompts, evaluation } = await select();
  const records = await RunFolder.open(await claimFolder(folder, use.kind !== 'new'), use);
  await evaluation.record(records.evaluationRewards);
  const running = train(
    {
      settings: { ...testSettings, ...settings },
      policy: peers,
      train: prompts,
      settle: lookUp(prompts),
      knowsTrainRows: true,
      evaluation,
      promptOf: (episode) => (episode * 7) % prompts.size,
      records,
      observer: {},
    },
    start,
    new AbortController().signal,
  );
  const outcome = await ended(running, records);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const seconds = /,"seconds":\{[^}]*\}/g;
  return {
    outcome,
    peers,
    left: {
      progress: read('progress.jsonl').replaceAll(seconds, ''),
      evaluation: read('evaluation.jsonl'),
      rewards: read('evaluation_rewards.jsonl'),
      policy: readFileSync(join(folder, 'policy_8.safetensors')).toString('base64'),
    },
  };
}

for (const feedback of ['bandit', 'full'] as const) {
  test(`a ${feedback} run over stored rows asks the policy alone, and resumed equals one never stopped`, async () => {
    const whole = await runIn(join(root, `whole-${feedback}`), { feedback });
    assert.deepEqual([whole.peers.sweeps.length, whole.peers.encoded], [0, 0]);
    const seen = whole.peers.updates.flatMap(({ experiences }) => experiences);
    assert.equal(seen.length, 8 * 6);
    assert.ok(seen.every(({ rewards }) => (rewards !== undefined) === (feedback === 'full')));
    assert.ok(
      whole.left.progress
        .split('\n')
        .slice(0, -1)
        .every((line) => line.includes('"regret":')),
    );
    const [first] = whole.left.evaluation.split('\n');
    assert.match(first!, /"task_table":/, 'all training rows are known from the beginning');

    const folder = join(root, `killed-${feedback}`);
    const peers = new TestPeers();
    peers.beforeUpdate = (id) => {
      if (id === 'run/6') throw new Error('gone');
    };
    const begin = { iteration: 0, checkpoint: testPolicy(), write: true };
    await assert.rejects(runIn(folder, { feedback }, { kind: 'new' }, begin, peers), /gone/);
    const checkpoint = readFileSync(join(folder, 'policy_4.safetensors'));
    const use: FolderUse = { kind: 'resume', iteration: 4, from: folder };
    const resumed = await runIn(folder, { feedback }, use, { iteration: 4, checkpoint, write: false });
    assert.deepEqual(resumed.left, whole.left);
  });
}

test('with bandit feedback the regret is that of the greedy choice, whatever was explored', async () => {
  const { left, peers } = await runIn(join(root, 'regret'), { feedback: 'bandit', beta: 5 });
  const { train: prompts } = await select();
  const twin = new TestPeers();
  await twin.importCheckpoint(testPolicy());
  const lines = left.progress.trim().split('\n');
  for (const [i, line] of lines.entries()) {
    let lost = 0;
    for (let k = 0; k < 6; k++) {
      const index = ((i * 6 + k) * 7) % prompts.size;
      const [row] = await prompts.rows([index]);
      const [greedy] = await twin.selectActions(await prompts.embeddings([index]), { explore: false });
      lost += Math.max(...row!.rewards) - row!.rewards[greedy!.actionIndex]!;
    }
    const { regret } = JSON.parse(line) as { regret: number };
    assert.ok(Math.abs(regret - lost / 6) < 1e-12, `iteration ${i + 1}: ${regret}, ${lost / 6}`);
    const { id, experiences } = peers.updates[i]!;
    await twin.update(id, experiences);
  }
});

test('a store of several budgets holds whole rows over all actions, and is learnt from net of a price', async () => {
  const folder = join(root, 'budgets');
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { format_version: number };
  assert.equal(manifest.format_version, 2);
  const [gross, net] = await Promise.all([0, 0.4].map((keyPrice) => select({ train: folder, keyPrice })));
  assert.ok(gross!.space.equals(budgetSpace));
  assert.equal(gross!.train.hash(), net!.train.hash());
  const [before] = await gross!.train.rows([2]);
  const [line] = await net!.train.rows([2]);
  assert.equal(before!.rewards.length, 12);
  assert.deepEqual([line!.gross_rewards, line!.gross_full, line!.full], [before!.rewards, 1, 0.6]);
  assert.notEqual(line!.key, before!.key);
  for (const [a, reward] of line!.rewards.entries()) {
    const share = budgetSpace.at(a).budget! / 100;
    assert.equal(reward, Math.max(0, before!.rewards[a]! - 0.4 * share));
  }
  await assert.rejects(select({ evaluation: folder }), { reason: 'different-stores', message: /budgets \[32,80\]/ });
});
