import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PolicyEngine } from './policy-engine.js';
import { testBytes, testContext } from './policy.fixture.js';

const engines: PolicyEngine[] = [];
const lost: Error[] = [];
after(() => Promise.all(engines.map((engine) => engine.dispose())));

function engineOf(maxPending?: number): PolicyEngine {
  const onExit = (error: Error): void => void lost.push(error);
  const engine = new PolicyEngine({ given: {}, onExit, ...(maxPending === undefined ? {} : { maxPending }) });
  engines.push(engine);
  return engine;
}

const input = {
  field: 'embedding',
  context: testContext(1),
  encoderId: '',
  empty: false,
  explore: false,
  beta: undefined,
};
const updateOf = (id: string) => {
  const experience = { field: 'experiences[0]', id, context: testContext(2), encoderId: '', actionIndex: 0, reward: 1 };
  return { updateId: id, experiences: [experience] };
};

test('calls are done in the order they are made', async () => {
  const engine = engineOf();
  const versions = await Promise.all([
    engine.call('importCheckpoint', testBytes(), 'x').then(() => 0),
    engine.call('select', [input]).then(([selection]) => selection!.policyVersion),
    engine.call('update', updateOf('u')).then(({ answer }) => answer.policyVersion),
    engine.call('select', [input]).then(([selection]) => selection!.policyVersion),
    engine.call('update', updateOf('v')).then(({ answer }) => answer.policyVersion),
    engine.call('describe').then((policy) => policy!.policyVersion),
  ]);
  assert.deepEqual(versions, [0, 1, 2, 2, 3, 3]);
});

test('an error crosses the thread with its code, field and reason, and the next call is done', async () => {
  const engine = engineOf();
  await assert.rejects(engine.call('select', [input]), {
    name: 'A2sfError',
    code: 'FAILED_PRECONDITION',
    reason: 'no-checkpoint',
  });
  await assert.rejects(
    engine.call('importCheckpoint', undefined as never, 'x'),
    (error: Error) => error.name !== 'A2sfError',
  );
  assert.equal(await engine.call('describe'), undefined);
});

test('calls over the limit are refused at once', async () => {
  const engine = engineOf(2);
  const accepted = [engine.call('describe'), engine.call('describe')];
  await assert.rejects(engine.call('describe'), { code: 'RESOURCE_EXHAUSTED', reason: 'queue-full' });
  await Promise.all(accepted);
  await engine.call('describe');
});

test('a stopped engine fails the calls that wait and those that come, and is not reported as lost', async () => {
  const engine = engineOf();
  const waiting = assert.rejects(engine.call('describe'), { code: 'UNAVAILABLE' });
  await engine.dispose();
  await engine.dispose();
  await waiting;
  await assert.rejects(engine.call('describe'), { code: 'UNAVAILABLE' });
  assert.deepEqual(lost, []);
});
