import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrapMean } from '@a2sf/bandit';
import { ActionSpace } from '@a2sf/kv-compression';
import { baselines } from './baselines.js';
import { Evaluation } from './evaluation.js';
import { everyIndex } from './known-prompts.js';
import { LivePrompts } from './live-prompts.js';
import type { RewardLine, RewardLines } from './reward-lines.js';
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
  close('snapkv_64', [0.1, 0.8, 0.6]);
  assert.equal(found.has('best_fixed_train'), false);
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
const none = { read: () => [], append: () => Promise.resolve() };
const live = (peers: TestPeers, prompts: PromptMemory, file: RewardLines = none, change: object = {}) =>
  new LivePrompts(prompts, { ...testSettings, peers, ...change }, file);
const rewardsOf = (prompts: LivePrompts) => prompts.rows(everyIndex(prompts));

test('an evaluation looks the greedy choices up in the swept rewards and leaves out prompts that fit the budget', async () => {
  const peers = new TestPeers();
  await peers.importCheckpoint(testPolicy());
  const prompts = memory();
  const lines: RewardLine[] = [];
  const file = { read: () => [], append: (line: RewardLine) => Promise.resolve(void lines.push(line)) };
  const set = live(peers, prompts, file);
  const rewards = await rewardsOf(set);
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
  const evaluation = new Evaluation(rewards, set, testSpace, 5);
  const line = (await evaluation.run(12, peers))!;
  const choices = await peers.selectActions(await peers.encode(evaluated.map(({ text }) => text)), { explore: false });
  const earned = evaluated.map(({ text }, i) => rewardOf(text, choices[i]!.actionIndex));
  const { mean, low, high } = bootstrapMean(earned, { seed: 5 });
  assert.deepEqual(line.eval_rewards, earned);
  const predicted = choices.map((choice) => choice.predictedReward);
  assert.deepEqual(line.eval_predicted, predicted);
  // Four prompts are one group.
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(line.eval_calibration_error! - Math.abs(meanOf(predicted) - meanOf(earned))) < 1e-12);
  assert.ok(choices.every(({ lowerBound }) => lowerBound === undefined));
  assert.deepEqual([line.eval_avg_reward, line.eval_low, line.eval_high], [mean, low, high]);
  assert.deepEqual(
    line.eval_actions_b,
    choices.map((choice) => choice.action.b),
  );
  assert.deepEqual([line.iteration, line.kept_all, evaluation.size, evaluation.keptAll], [12, 2, 4, 2]);
  const oracle = evaluated.map(({ text }) => Math.max(...[0, 1, 2, 3, 4, 5].map((action) => rewardOf(text, action))));
  assert.deepEqual(line.baselines.oracle, bootstrapMean(oracle, { seed: 5 }));
});

test('rewards below the lower bounds of the choices are counted, where the policy tells bounds', async () => {
  const peers = new TestPeers();
  await peers.importCheckpoint(testPolicy());
  const set = live(peers, memory());
  const evaluation = new Evaluation(await rewardsOf(set), set, testSpace, 5);
  const bounded = (bounds: readonly (number | undefined)[]) => ({
    selectActions: async (...args: Parameters<TestPeers['selectActions']>) => {
      assert.equal(args[1].withLowerBound, true);
      const choices = await peers.selectActions(args[0], { explore: false });
      return choices.map((choice, i) => (bounds[i] === undefined ? choice : { ...choice, lowerBound: bounds[i] }));
    },
  });
  const line = async (...bounds: (number | undefined)[]) => (await evaluation.run(1, bounded(bounds)))!;
  const { eval_rewards: earned } = await line();
  const [w, x, y, z] = earned as [number, number, number, number];
  assert.equal((await line(w - 0.1, x, y + 1e-9, z + 0.1)).eval_bound_violations, 0.5);
  assert.equal((await line(w, x, y, z)).eval_bound_violations, 0);
  assert.equal('eval_bound_violations' in (await line(w, undefined, y, z)), false);
});

test('streaming-llm is swept beside the actions where that is wanted, and is a baseline where every row has it', async () => {
  const peers = new TestPeers();
  await peers.importCheckpoint(testPolicy());
  const prompts = memory();
  const set = live(peers, prompts, none, { streamingLlm: true });
  const rows = await rewardsOf(set);
  const budget = testSettings.generation.budget;
  for (const { actions, compressions } of peers.sweeps)
    assert.deepEqual([actions.length, compressions], [6, [{ method: 'streaming-llm', budget }]]);
  const expected = [1, 2, 3, 4].map((index) => rewardOf(prompts.prompt(index).text, -1));
  const kept = rows.filter((row) => !row.kept_all);
  assert.deepEqual(baselines(kept, testSpace).get('streaming_llm'), { rewards: expected });
  assert.deepEqual(
    kept.map(({ rewards }) => rewards.length),
    [6, 6, 6, 6],
  );
  const line = (await new Evaluation(rows, set, testSpace, 5).run(1, peers))!;
  assert.deepEqual(line.baselines.streaming_llm, bootstrapMean(expected, { seed: 5 }));
  const [{ streaming_llm: _, ...lacking }, ...others] = kept as [RewardLine, ...RewardLine[]];
  assert.equal(baselines([lacking, ...others], testSpace).has('streaming_llm'), false);
});

test('texts may be as long as their dataset needs', async () => {
  const peers = new TestPeers();
  const generation = { ...testSettings.generation, maxNewTokensOf: { test: 7 } };
  await rewardsOf(live(peers, memory(), none, { generation }));
  assert.deepEqual([...new Set(peers.sweeps.map(({ maxNewTokens }) => maxNewTokens))], [7]);
  const others = { ...generation, maxNewTokensOf: { other: 7, toString: 1 } };
  await rewardsOf(live(peers, memory(), none, { generation: others }));
  assert.equal(peers.sweeps.at(-1)!.maxNewTokens, 16);
});

test('rewards that were swept before are read back, unless the model, reward or budget is another one', async () => {
  const lines: RewardLine[] = [];
  const file = { read: () => [...lines], append: (line: RewardLine) => Promise.resolve(void lines.push(line)) };
  const sweepsOf = async (change: object) => {
    const peers = new TestPeers();
    await rewardsOf(live(peers, memory(), file, change));
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
  const prompts = memory();
  const [, line] = await rewardsOf(live(peers, prompts, none, { reward: new RewardRule('log_prob') }));
  const close = (found: number, wanted: number) => assert.ok(Math.abs(found - wanted) < 1e-12, `${found}, ${wanted}`);
  close(line!.full, fullProbability);
  for (const [action, reward] of line!.rewards.entries()) close(reward, rewardOf(prompts.prompt(1).text, action));
  assert.equal(line!.rewards.length, testSpace.size);
});

test('best_fixed_train and the task table are chosen on training rows, a dataset without any takes the former', () => {
  const space = new ActionSpace([10], [1, 2, 3]);
  const row = (dataset: string, ...rewards: number[]) => ({ dataset, rewards, full: 1 });
  const train = [row('x', 1, 0, 0), row('y', 0, 0, 0.5), row('y', 0, 0, 0.4)];
  const found = baselines([row('x', 0.1, 0.2, 0.3), row('y', 0.4, 0.5, 0.6), row('z', 0.7, 0.8, 0.9)], space, train);
  assert.deepEqual(found.get('best_fixed_train'), { rewards: [0.1, 0.4, 0.7], actionIndex: 0 });
  assert.deepEqual(found.get('task_table'), { rewards: [0.1, 0.6, 0.7] });
  assert.deepEqual(found.get('best_fixed'), { rewards: [0.3, 0.6, 0.9], actionIndex: 2 });
});

test('differences are bootstrapped over pairs, and each dataset is evaluated on its own rows', async () => {
  const peers = new TestPeers();
  await peers.importCheckpoint(testPolicy());
  const prompts = testPrompts('pairs', 7).map((prompt, i) => ({ ...prompt, dataset: i < 3 ? 'x' : 'y' }));
  const set = live(peers, new PromptMemory(prompts));
  const lines = await rewardsOf(set);
  const line = (await new Evaluation(lines, set, testSpace, 5).run(1, peers, lines))!;
  const policy = line.eval_rewards;
  for (const [name, { rewards }] of baselines(lines, testSpace, lines)) {
    const pairs = policy.map((reward, i) => reward - rewards[i]!);
    assert.deepEqual(line.differences![name], bootstrapMean(pairs, { seed: 5 }), name);
    const { x, y } = line.datasets!;
    assert.deepEqual(x!.differences[name], bootstrapMean(pairs.slice(0, 3), { seed: 5 }), name);
    assert.equal(y!.baselines[name]!.mean, bootstrapMean(rewards.slice(3), { seed: 5 }).mean, name);
  }
  assert.deepEqual([line.datasets!['x']!.prompts, line.datasets!['y']!.prompts], [3, 4]);
  assert.equal(line.datasets!['y']!.mean, bootstrapMean(policy.slice(3)).mean);
  // Chosen on these very rows, the two best fixed actions are one.
  assert.deepEqual(line.baselines.best_fixed_train, line.baselines.best_fixed);
});

test('equal texts are swept once, also within one call, unless the reward looks at their answers', async () => {
  const [prompt] = testPrompts('twice', 1);
  const prompts = () => new PromptMemory([prompt!, { ...prompt!, id: 'other' }]);
  const peers = new TestPeers();
  assert.equal((await live(peers, prompts()).rows([0, 1, 0])).length, 3);
  assert.equal(peers.sweeps.length, 1);
  peers.score = (tasks) => Promise.resolve(tasks.map(() => 0.5));
  await live(peers, prompts(), none, { reward: new RewardRule('dataset') }).rows([0, 1, 0]);
  assert.equal(peers.sweeps.length, 3);
});
