import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrapMean } from '@a2sf/bandit';
import { ActionSpace } from '@a2sf/kv-compression';
import { baselines } from './baselines.js';
import { Evaluation } from './evaluation.js';
import { evaluationRewards, type EvaluationRewards } from './evaluation-rewards.js';
import { PromptMemory } from './prompt-memory.js';
import { RewardRule } from './reward-rule.js';
import {
  fullProbability,
  rewardOf,
  TestPeers,
  testPolicy,
  testPrompts,
  testSettings,
  testSpace,
} from './peers.fixture.js';

// The space is (0,1) (0,16) (0,64) (10,1) (10,16) (10,64).
const rows = [
  { rewards: [0.2, 0.2, 0.2, 0.9, 0.5, 0.1], full: 1 },
  { rewards: [0.4, 0.4, 0.4, 0.1, 0.6, 0.8], full: 1 },
  { rewards: [0.9, 0.9, 0.9, 0.3, 0.4, 0.6], full: 1 },
];

test('baselines are the means that a hand computation gives', () => {
  const found = baselines(rows, testSpace);
  const close = (name: Parameters<typeof found.get>[0], wanted: readonly number[]) => {
    const { rewards } = found.get(name)!;
    assert.equal(rewards.length, wanted.length);
    for (const [i, reward] of rewards.entries()) assert.ok(Math.abs(reward - wanted[i]!) < 1e-12, `${name}: ${reward}`);
  };
  close('full', [1, 1, 1]);
  close('random', [2.1 / 6, 2.7 / 6, 4 / 6]);
  close('h2o', [0.2, 0.4, 0.9]);
  close('snapkv_16', [0.5, 0.6, 0.4]);
  close('oracle', [0.9, 0.8, 0.9]);
  assert.equal(found.get('snapkv_16')!.actionIndex, 4);
});

test('the best fixed action is the one of the highest mean, the lowest index on ties', () => {
  const space = new ActionSpace([10], [1, 2, 3]);
  const tied = [
    { rewards: [0.25, 0.5, 0.75], full: 1 },
    { rewards: [0.25, 0.75, 0.5], full: 1 },
  ];
  assert.deepEqual(baselines(tied, space).get('best_fixed'), { rewards: [0.5, 0.75], actionIndex: 1 });
});

test('a baseline whose action is not in the space is left out', () => {
  const names = [...baselines([{ rewards: [0.5], full: 1 }], new ActionSpace([10], [8])).keys()];
  assert.deepEqual(names, ['full', 'random', 'best_fixed', 'oracle']);
});

const memory = () => new PromptMemory(testPrompts('evaluation', 6, true));
const context = (peers: TestPeers, prompts: PromptMemory) => ({ ...testSettings, peers, memory: prompts });

test('an evaluation looks the greedy choices up in the swept rewards and leaves out prompts that fit the budget', async () => {
  const peers = new TestPeers();
  await peers.importCheckpoint(testPolicy());
  const prompts = memory();
  const lines: EvaluationRewards[] = [];
  const file = { read: () => [], append: (line: EvaluationRewards) => Promise.resolve(void lines.push(line)) };
  const rewards = await evaluationRewards(context(peers, prompts), file, () => undefined);
  assert.deepEqual(
    rewards.map((line) => line.kept_all),
    [true, false, false, false, false, true],
  );
  assert.equal(lines.length, 6);
  const evaluated = [1, 2, 3, 4].map((index) => prompts.prompt(index));
  for (const [i, { text }] of evaluated.entries()) {
    assert.deepEqual(
      rewards[i + 1]!.rewards,
      [0, 1, 2, 3, 4, 5].map((action) => rewardOf(text, action)),
    );
  }
  const evaluation = new Evaluation(rewards, prompts, testSpace, 5);
  const line = (await evaluation.run(12, peers))!;
  const choices = await peers.selectActions(await peers.encode(evaluated.map(({ text }) => text)), { explore: false });
  const earned = evaluated.map(({ text }, i) => rewardOf(text, choices[i]!.actionIndex));
  const { mean, low, high } = bootstrapMean(earned, { seed: 5 });
  assert.deepEqual(line.eval_rewards, earned);
  assert.deepEqual([line.eval_avg_reward, line.eval_low, line.eval_high], [mean, low, high]);
  assert.deepEqual(
    line.eval_actions_b,
    choices.map((choice) => choice.action.b),
  );
  assert.deepEqual([line.iteration, line.kept_all, evaluation.size, evaluation.keptAll], [12, 2, 4, 2]);
  const oracle = evaluated.map(({ text }) => Math.max(...[0, 1, 2, 3, 4, 5].map((action) => rewardOf(text, action))));
  assert.deepEqual(line.baselines.oracle, bootstrapMean(oracle, { seed: 5 }));
});

test('rewards that were swept before are read back, unless the model, reward or budget is another one', async () => {
  const lines: EvaluationRewards[] = [];
  const file = { read: () => [...lines], append: (line: EvaluationRewards) => Promise.resolve(void lines.push(line)) };
  const sweepsOf = async (change: object) => {
    const peers = new TestPeers();
    await evaluationRewards({ ...context(peers, memory()), ...change }, file, () => undefined);
    return peers.sweeps.length;
  };
  assert.equal(await sweepsOf({}), 6);
  assert.equal(await sweepsOf({}), 0);
  assert.equal(await sweepsOf({ modelId: 'model-2' }), 6);
  assert.equal(await sweepsOf({ generation: { ...testSettings.generation, budget: 65 } }), 6);
  assert.equal(await sweepsOf({ reward: new RewardRule('exact_prefix') }), 6);
  assert.equal(await sweepsOf({}), 0);
});

test('under log_prob actions that write the same text earn what each makes of the full text, and the full cache its own', async () => {
  const peers = new TestPeers();
  peers.sameTexts = true;
  const file = { read: () => [], append: () => Promise.resolve() };
  const prompts = memory();
  const change = { ...context(peers, prompts), reward: new RewardRule('log_prob') };
  const [, line] = await evaluationRewards(change, file, () => undefined);
  const close = (found: number, wanted: number) => assert.ok(Math.abs(found - wanted) < 1e-12, `${found}, ${wanted}`);
  close(line!.full, fullProbability);
  for (const [action, reward] of line!.rewards.entries()) close(reward, rewardOf(prompts.prompt(1).text, action));
  assert.equal(line!.rewards.length, testSpace.size);
});
