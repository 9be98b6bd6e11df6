import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Learner } from './learner.js';
import { testBytes, testContext, testEncoderId } from './policy.fixture.js';

function learned(): Learner {
  const learner = new Learner({});
  learner.importCheckpoint(testBytes({ policyVersion: 4 }), 'x');
  const experiences = [1, 2, 3].map((n) => ({
    field: `experiences[${n}]`,
    id: `e${n}`,
    context: testContext(n),
    encoderId: testEncoderId,
    actionIndex: n,
    reward: n / 3,
  }));
  learner.update({ updateId: 'u', experiences });
  return learner;
}

const inputs = [5, 6, 7].map((n) => ({
  field: 'embedding',
  context: testContext(n),
  encoderId: testEncoderId,
  empty: false,
  explore: true,
  beta: 2,
}));

test('a policy that is adopted chooses as the one it comes from, at its version, whatever was there before', () => {
  const learner = learned();
  const replica = new Learner({});
  replica.adopt(testBytes({ policyVersion: 90 }), 'x');
  for (const isForServing of [true, false]) {
    const { revision, ...adopted } = replica.adopt(learner.exportCheckpoint(undefined, isForServing), 'x');
    const { revision: own, ...described } = learner.describe()!;
    assert.deepEqual(adopted, described);
    assert.equal(revision === own, isForServing); // only a file for serving tells it
    assert.deepEqual(replica.select(inputs), learner.select(inputs));
  }
});

test('a learner refuses what was exported for serving only, and a damaged file leaves what was adopted', () => {
  const learner = learned();
  const bytes = learner.exportCheckpoint(undefined, true);
  const before = learner.exportCheckpoint();
  assert.ok(bytes.length < before.length);
  const refused = { code: 'FAILED_PRECONDITION', reason: 'serving-only-checkpoint' };
  assert.throws(() => learner.importCheckpoint(bytes, 'x'), refused);
  assert.throws(() => learner.importChallenger(bytes, 'x'), refused);
  assert.deepEqual(learner.exportCheckpoint(), before);
  const replica = new Learner({});
  replica.adopt(bytes, 'x');
  const damaged = bytes.slice();
  damaged[damaged.length - 1]! ^= 1;
  assert.throws(() => replica.adopt(damaged, 'x'), { code: 'DATA_LOSS' });
  assert.deepEqual(replica.select(inputs), learner.select(inputs));
});
