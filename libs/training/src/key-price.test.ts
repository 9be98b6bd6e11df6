import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { EvaluationLine } from './evaluation.js';
import { keptShare, netReward, pricedLine } from './key-price.js';
import { budgetSpace, rewardOf, TestPeers, testContext, testPolicy, testSpace, tokensOf } from './peers.fixture.js';
import type { RewardLine } from './reward-lines.js';
import { RewardRule } from './reward-rule.js';
import { claimFolder, RunFolder } from './run-folder.js';
import type { ProgressLine } from './run-records.js';
import { train, type TrainingSettings } from './training.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-key-price-'));
after(() => rmSync(root, { recursive: true, force: true }));
const price = 0.4;

test('a net reward stays in 0..1, is at most the gross one and falls with price and keys', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(share, share, share, share, (reward, price, kept, more) => {
      const net = netReward(reward, price, kept);
      assert.ok(net >= 0 && net <= reward);
      assert.equal(netReward(reward, 0, kept), reward);
      assert.ok(netReward(reward, price, Math.max(kept, more)) <= net);
    }),
  );
  assert.equal(netReward(0.75, 0.5, 0.5), 0.5);
  assert.equal(netReward(0.1, 0.5, 0.5), 0);
  assert.equal(keptShare({ budget: 30 }, 120, 60), 0.25);
  assert.equal(keptShare({}, 120, 60), 0.5);
  assert.equal(keptShare({ budget: 200 }, 120, 60), 1);
  for (const bad of [-0.1, 1.5, NaN]) assert.throws(() => new RewardRule('rouge_l', bad), { field: 'key_price' });
});

test('a line keeps its gross rewards beside the net ones, and is left alone where keys cost nothing', () => {
  const gross = {
    id: 'x',
    hash: 'h',
    prompt_tokens: 160,
    kept_all: false,
    full: 1,
    rewards: budgetSpace.actions().map((_, a) => a / 12),
  };
  const pricing = { space: budgetSpace, budget: 32 };
  assert.equal(pricedLine(gross, { ...pricing, price: 0 }), gross);
  const line = pricedLine(gross, { ...pricing, price });
  assert.deepEqual([line.gross_full, line.gross_rewards, line.full], [1, gross.rewards, 0.6]);
  assert.equal(line.rewards[11], 11 / 12 - price * 0.5);
  assert.equal(line.rewards[10], 10 / 12 - price * 0.2);
  assert.equal(line.rewards[0], 0);
});

async function runIn(name: string, settings: Partial<TrainingSettings>) {
  const folder = join(root, name);
  const { space = testSpace } = settings;
  const peers = new TestPeers(space);
  const records = await RunFolder.open(await claimFolder(folder, false), { kind: 'new' });
  try {
    const start = { iteration: 0, checkpoint: testPolicy(space), write: true };
    await train(testContext(peers, records, settings), start, new AbortController().signal);
  } finally {
    await records.close();
  }
  const lines = <T>(file: string) =>
    readFileSync(join(folder, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as T);
  return {
    peers,
    progress: lines<ProgressLine>('progress.jsonl'),
    evaluation: lines<EvaluationLine>('evaluation.jsonl'),
    rows: lines<RewardLine>('evaluation_rewards.jsonl'),
  };
}

const priced = { space: budgetSpace, reward: new RewardRule('rouge_l', price) };
const budgeted = { ...priced, generation: { budget: 32, recent: 0, maxNewTokens: 16, maxPromptTokens: 0 } };

test("what is learnt is net of the price, by the actions' own budgets, and the gross rewards stay in the records", async () => {
  const { peers, progress, evaluation, rows } = await runIn('budgets', budgeted);
  const first = progress[0]!;
  const texts = peers.sweeps.filter(({ actions }) => actions.length === 1);
  assert.equal(first.actions_budget!.length, 6);
  const { experiences } = peers.updates[0]!;
  for (const [k, { reward, actionIndex }] of experiences.entries()) {
    const { text } = texts[k]!;
    const share = Math.min(budgetSpace.at(actionIndex).budget!, tokensOf(text)) / tokensOf(text);
    assert.equal(reward, Math.max(0, rewardOf(text, actionIndex) - price * share));
  }
  assert.ok(first.avg_gross_reward! > first.avg_reward);
  for (const row of rows.filter(({ kept_all }) => !kept_all)) {
    const n = row.prompt_tokens;
    const net = row.gross_rewards!.map((r, a) => Math.max(0, r - (price * Math.min(budgetSpace.at(a).budget!, n)) / n));
    assert.deepEqual([row.full, row.gross_full, row.rewards.length], [0.6, 1, 12]);
    for (const [a, reward] of row.rewards.entries()) assert.ok(Math.abs(reward - net[a]!) < 1e-12);
  }
  const last = evaluation.at(-1)!;
  assert.equal(last.eval_actions_budget!.length, last.eval_rewards.length);
  assert.ok(last.eval_avg_gross_reward! > last.eval_avg_reward);
  assert.ok(last.eval_avg_kept_share! > 0.2 && last.eval_avg_kept_share! < 0.8);
  assert.equal(last.baselines.snapkv_16!.budget, 80);
  assert.equal(last.baselines.h2o!.budget, 80);
});

test('feedback of all actions earns what trying one earns', async () => {
  const [tried, known] = [await runIn('tried', budgeted), await runIn('known', { ...budgeted, feedback: 'full' })];
  const [one, all] = [tried.progress[0]!, known.progress[0]!];
  assert.deepEqual(
    [all.avg_reward, all.avg_gross_reward, all.actions_budget],
    [one.avg_reward, one.avg_gross_reward, one.actions_budget],
  );
});

test('without budgets a price is that of the one budget, and records without either are as they were', async () => {
  const { evaluation, progress, rows } = await runIn('priced', { reward: new RewardRule('rouge_l', price) });
  assert.ok(progress[0]!.avg_gross_reward! > progress[0]!.avg_reward);
  assert.equal(evaluation[0]!.eval_avg_kept_share, undefined);
  const plain = await runIn('plain', {});
  const keys = [rows, plain.rows].map((lines) => lines[0]!.key);
  assert.notEqual(keys[0], keys[1], 'rows of another price are not taken for those of this one');
  const names = [...plain.progress, ...plain.evaluation, ...plain.rows].flatMap((line) => Object.keys(line));
  assert.ok(names.every((name) => !/gross|budget|share/.test(name)));
});
