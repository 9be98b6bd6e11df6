import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScoreTask } from './peers.js';
import { RewardRule } from './reward-rule.js';
import { TestPeers, testPrompts } from './peers.fixture.js';

const [prompt] = testPrompts('reward', 1);
const swept = { text: 'text', logProbs: [-1, -2] };

test('a named metric compares with the full text, the dataset’s own one with the answers', () => {
  const full = new RewardRule('rouge_l').task(prompt!, swept, 'full text');
  assert.deepEqual([full.metric, full.references], ['rouge_l', ['full text']]);
  const answered = { ...prompt!, answers: ['x', 'y'], allClasses: ['c'] };
  for (const name of ['dataset', '']) {
    const { metric, references, allClasses, dataset } = new RewardRule(name).task(answered, swept, undefined);
    assert.deepEqual([metric, references, allClasses, dataset], ['', ['x', 'y'], ['c'], 'test']);
  }
});

test('a row without answers is refused when answers are the reference', async () => {
  await assert.rejects(new RewardRule('dataset').check(new TestPeers(), [prompt!]), /row 0 has none/);
});

test('the check scores one item per dataset, or one in all for a named metric', async () => {
  const peers = new TestPeers();
  const asked: (readonly ScoreTask[])[] = [];
  peers.score = (tasks) => {
    asked.push(tasks);
    return Promise.resolve(tasks.map(() => 1));
  };
  const prompts = ['x', 'y', 'x'].map((dataset) => ({ ...prompt!, dataset, answers: ['a'] }));
  await new RewardRule('dataset').check(peers, prompts);
  await new RewardRule('cosine').check(peers, prompts);
  assert.deepEqual(
    asked.map((tasks) => tasks.length),
    [2, 1],
  );
});

test('log-probabilities are asked for and sent by the metrics that look at them, alone or in a mix, and by no other', () => {
  for (const name of ['log_prob', 'mix:rouge_l=0.5,log_prob=0.5']) {
    const rule = new RewardRule(name);
    assert.deepEqual([rule.needsLogProbs, rule.fullEarnsOne], [true, false], name);
    assert.deepEqual(rule.task(prompt!, swept, 'full text').logProbs, [-1, -2]);
  }
  for (const name of ['rouge_l', 'dataset', '', 'no-such-metric', 'mix:rouge_l=0.5,cosine=0.5']) {
    const rule = new RewardRule(name);
    assert.equal(rule.needsLogProbs, false, name);
    assert.deepEqual(rule.task(prompt!, swept, 'full text').logProbs, []);
  }
});
