import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePolicyCheckpoint } from '@a2sf/run-store';
import { Random } from '@a2sf/random';
import { ChangeLog } from './change-log.js';
import { Learner } from './learner.js';
import { testBytes, testContext, testEncoderId } from './policy.fixture.js';

const orders = Array.from({ length: 20 }, (_, n) => ({
  field: 'x',
  context: testContext(1000 + n),
  encoderId: '',
  empty: false,
  explore: true,
  beta: 2,
  draw: n,
  epsilon: 0.1,
}));

function learn(learner: Learner, n: number, isFull: boolean): void {
  const random = new Random(n);
  const experiences = Array.from({ length: 1 + random.below(5) }, (_, i) => ({
    field: `experiences[${i}]`,
    id: `${n}-${i}`,
    context: testContext(n * 10 + i),
    encoderId: testEncoderId,
    actionIndex: random.below(4),
    reward: random.uniform(),
    ...(isFull ? { rewards: Float32Array.from({ length: 4 }, () => random.uniform()) } : {}),
  }));
  learner.update({ updateId: `u${n}`, experiences });
}

const isChange = (bytes: Uint8Array): boolean => decodePolicyCheckpoint(bytes).checkpoint.changeOf !== undefined;

test('a replica that takes what changed chooses bit for bit as one that takes the whole policy', () => {
  let changes = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const random = new Random(seed);
    const learner = new Learner({});
    learner.importCheckpoint(testBytes({ policyVersion: 4 }), 'x');
    const follower = new Learner({});
    follower.adopt(learner.exportServed(), 'x');
    for (let n = 0; n < 40; n++) {
      for (let updates = 1 + random.below(3); updates > 0; updates--) {
        learn(learner, n * 10 + updates, seed % 3 === 0 || (seed % 3 === 1 && n > 20));
      }
      const bytes = learner.exportServed(follower.describe()!.revision);
      if (isChange(bytes)) changes++;
      follower.adopt(bytes, 'x');
      const whole = new Learner({});
      whole.adopt(learner.exportServed(), 'x');
      assert.deepEqual(follower.select(orders), whole.select(orders), `${seed} ${n}`);
      assert.deepEqual(follower.describe(), whole.describe());
    }
  }
  assert.ok(changes > 300, String(changes));
});

test('after too many updates, or for a revision of another life of the learner, the whole policy is sent', () => {
  const learner = new Learner({});
  learner.importCheckpoint(testBytes(), 'x');
  const { revision } = learner.describe()!;
  for (let n = 0; n < 8; n++) learn(learner, n, false);
  assert.ok(isChange(learner.exportServed(revision)));
  learn(learner, 8, false);
  assert.ok(!isChange(learner.exportServed(revision)));
  const next = learner.describe()!.revision;
  learn(learner, 9, false);
  assert.ok(isChange(learner.exportServed(next)));
  const restarted = new Learner({});
  restarted.importCheckpoint(learner.exportCheckpoint(), 'x');
  learn(restarted, 9, false);
  assert.ok(!isChange(restarted.exportServed(next)));
});

test('what changed since another policy is refused, with nothing changed', () => {
  const learner = new Learner({});
  learner.importCheckpoint(testBytes(), 'x');
  const replica = new Learner({});
  replica.adopt(learner.exportServed(), 'x');
  learn(learner, 1, false);
  const { revision } = learner.describe()!;
  learn(learner, 2, false);
  const change = learner.exportServed(revision);
  const before = [replica.describe(), replica.select(orders)];
  assert.throws(() => replica.adopt(change, 'x'), { code: 'FAILED_PRECONDITION', reason: 'other-revision' });
  assert.throws(() => new Learner({}).adopt(change, 'x'), { reason: 'other-revision' });
  for (let at = 0; at < change.length; at += 97) {
    const damaged = change.slice();
    damaged[at]! ^= 1;
    assert.throws(() => replica.adopt(damaged, 'x'), `byte ${at}`);
  }
  assert.deepEqual([replica.describe(), replica.select(orders)], before);
  assert.throws(() => learner.importCheckpoint(change, 'x'), { reason: 'serving-only-checkpoint' });
});

test('an update that steps do not tell breaks the chain until it is behind', () => {
  const log = new ChangeLog('e/1');
  const steps = { actions: [], vectors: [] };
  log.record(2, steps);
  log.record(3, undefined);
  log.record(4, steps);
  assert.equal(log.since('e/2', 4), undefined);
  assert.deepEqual(log.since('e/3', 4), [steps]);
  assert.equal(log.since('e/4', 4), undefined);
  assert.equal(log.since('f/3', 4), undefined);
});
