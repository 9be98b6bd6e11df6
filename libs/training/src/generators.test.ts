import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GeneratorServiceStub, SweepResponseOutput } from '@a2sf/contracts';
import { GeneratorMembers } from './generator-members.js';
import { MemberPool } from './member-pool.js';
import type { SweepTask } from './peers.js';
import { SweepCheck } from './sweep-check.js';

const targets = (pool: MemberPool<GeneratorServiceStub>) =>
  pool.members.map((client) => client.getChannel().getTarget().replace(/^dns:/, ''));

test('a name stands for as many members as it has addresses, and follows them', async () => {
  let addresses = ['10.0.0.2', '10.0.0.1'];
  const pool = new MemberPool<GeneratorServiceStub>([]);
  const members = new GeneratorMembers(['127.0.0.1:9', 'dns:///pods:50052'], pool, {
    resolve: (name) => Promise.resolve(name === 'pods' ? addresses : []),
    resolveEveryMs: 0,
  });
  await members.ready();
  assert.deepEqual(targets(pool), ['127.0.0.1:9', '10.0.0.1:50052', '10.0.0.2:50052']);
  const [, kept] = pool.members;
  addresses = ['10.0.0.3', '10.0.0.1', 'fd00::1'];
  await members.ready();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(targets(pool), ['127.0.0.1:9', '10.0.0.1:50052', '10.0.0.3:50052', '[fd00::1]:50052']);
  assert.equal(pool.members[1], kept, 'who stays keeps the channel');
  members.close();
});

test('a name without an address is told, a later failure to resolve keeps the members', async () => {
  let fails = true;
  const pool = new MemberPool<GeneratorServiceStub>([]);
  const members = new GeneratorMembers(['dns:///pods:50052'], pool, {
    resolve: () => (fails ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve(['10.0.0.1'])),
    resolveEveryMs: 0,
  });
  await assert.rejects(members.ready(), { code: 'UNAVAILABLE', field: 'generators' });
  fails = false;
  await members.ready();
  fails = true;
  await members.ready();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(targets(pool), ['10.0.0.1:50052']);
  members.close();
});

test('a server that comes later is taken in when it serves the model of the others, and asked again until then', async () => {
  const models = new Map([['10.0.0.2', 'model-2']]); // 10.0.0.3 does not answer yet
  const pool = new MemberPool<GeneratorServiceStub>([]);
  let addresses = ['10.0.0.1'];
  const members = new GeneratorMembers(['dns:///pods:1'], pool, {
    resolve: () => Promise.resolve(addresses),
    resolveEveryMs: 0,
    identify: (client) => {
      const model = models.get(/10\.0\.0\.\d/.exec(client.getChannel().getTarget())![0]);
      return model === undefined ? Promise.reject(new Error('UNAVAILABLE')) : Promise.resolve(model);
    },
  });
  await members.ready();
  members.modelId = 'model-1';
  addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];
  const resolvedAgain = async () => {
    await members.ready();
    await new Promise((resolve) => setImmediate(resolve));
    return targets(pool);
  };
  assert.deepEqual(await resolvedAgain(), ['10.0.0.1:1']);
  models.set('10.0.0.3', 'model-1');
  assert.deepEqual(await resolvedAgain(), ['10.0.0.1:1', '10.0.0.3:1']);
  members.close();
});

const task: SweepTask = {
  text: 'prompt',
  actions: [{ a: 10, b: 16 }],
  budget: 64,
  recent: 0,
  maxNewTokens: 4,
  includeFull: true,
  scoreFull: true,
  wrap: 'PROMPT_WRAP_UNSPECIFIED',
  maxPromptTokens: 0,
};

function answer(change: object = {}): SweepResponseOutput {
  const text = { text: 'text', tokenIds: [1, 2], logProbs: [-1, -2] };
  const result = { ...text, action: null, keptTokens: 64 };
  const whole = { full: text, results: [result], promptTokens: 100, keptTokens: 64, truncated: false };
  return { ...whole, prefillMs: 0, decodeMs: 0, ...change };
}

test('an answer that cannot be right is refused', () => {
  const text = { text: 'text', tokenIds: [1, 2], logProbs: [-1, -2] };
  const bad = [
    { full: null },
    { results: [] },
    { promptTokens: 0 },
    { keptTokens: 63 },
    { full: { ...text, logProbs: [-1, Number.NaN] } },
    { full: { ...text, logProbs: [-1, 0.5] } },
    { full: { ...text, logProbs: [-1] } },
    { full: { ...text, tokenIds: [1, 2, 3, 4, 5] } },
    { results: [{ ...text, logProbs: [-1], action: null, keptTokens: 64 }] },
  ];
  for (const change of bad) {
    const outcomeOf = new SweepCheck<string>(() => undefined).of(task);
    assert.throws(() => outcomeOf(answer(change), 'x'), { code: 'INTERNAL', reason: 'malformed-answer' });
  }
  assert.equal(new SweepCheck<string>(() => undefined).of(task)(answer(), 'x').promptTokens, 100);
});

test('each action that names a budget is held to its own', () => {
  const budgets = [16, 64].map((budget) => ({ a: 1, b: 1, budget }));
  const own = { ...task, actions: budgets, budget: 16 };
  const [result] = answer().results;
  const kept = (...tokens: number[]) =>
    answer({ keptTokens: tokens[0]!, results: tokens.map((keptTokens) => ({ ...result!, keptTokens })) });
  const outcomeOf = () => new SweepCheck<string>(() => undefined).of(own);
  assert.equal(outcomeOf()(kept(16, 64), 'x').texts.length, 2);
  for (const wrong of [kept(16, 16), kept(64, 64), kept(16, 100)]) {
    assert.throws(() => outcomeOf()(wrong, 'x'), { reason: 'malformed-answer' });
  }
});

test('a prompt of another length than before is another prompt, until a second member says the same', () => {
  const accused: string[] = [];
  const check = new SweepCheck<string>((member) => accused.push(member));
  check.of(task)(answer({ promptTokens: 90 }), 'liar');
  const retried = check.of(task);
  assert.throws(() => retried(answer(), 'x'), /has 100 tokens, an earlier answer said 90/);
  assert.throws(() => retried(answer(), 'x'), /an earlier answer/, 'one member does not agree with itself');
  assert.equal(retried(answer(), 'y').promptTokens, 100);
  assert.deepEqual(accused, ['liar']);
  assert.throws(() => check.of(task)(answer({ promptTokens: 90 }), 'liar'), /an earlier answer said 100/);
  const longer = check.of({ ...task, maxPromptTokens: 90 });
  assert.equal(longer(answer({ promptTokens: 90 }), 'x').promptTokens, 90, 'another limit is another prompt');
});
