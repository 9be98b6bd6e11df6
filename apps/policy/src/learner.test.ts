import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NeuralUcb } from '@a2sf/bandit';
import { ActionSpace } from '@a2sf/kv-compression';
import { decodePolicyCheckpoint } from '@a2sf/run-store';
import type { SelectInput } from './choosing.js';
import { Learner } from './learner.js';
import { testBytes, testCheckpoint, testContext, testDimension, testEncoderId } from './policy.fixture.js';
import type { UpdateInput } from './update-ledger.js';

function selectOf(change: Partial<SelectInput> = {}): SelectInput {
  const context = testContext(1);
  return {
    field: 'embedding',
    context,
    encoderId: testEncoderId,
    empty: false,
    explore: true,
    beta: undefined,
    ...change,
  };
}

function updateOf(updateId: string, ids: readonly string[]): UpdateInput {
  const experiences = ids.map((id, i) => ({
    field: `experiences[${i}]`,
    id,
    context: testContext(i),
    encoderId: testEncoderId,
    actionIndex: i % 4,
    reward: 0.75,
  }));
  return { updateId, experiences };
}

function loaded(): Learner {
  const learner = new Learner({});
  learner.importCheckpoint(testBytes(), 'policy_0.safetensors');
  return learner;
}

test('a learner without a checkpoint describes nothing and refuses everything else', () => {
  const learner = new Learner({});
  const refusal = { code: 'FAILED_PRECONDITION', reason: 'no-checkpoint' };
  assert.equal(learner.describe(), undefined);
  assert.throws(() => learner.select([selectOf()]), refusal);
  assert.throws(() => learner.select([selectOf({ empty: true })]), refusal);
  assert.throws(() => learner.update(updateOf('u', ['x'])), refusal);
  assert.throws(() => learner.exportCheckpoint(), refusal);
});

test('selections are those of the agent, with the beta of the request, of the policy, or none', () => {
  const inputs = [selectOf(), selectOf({ beta: 3 }), selectOf({ explore: false, beta: 3 }), selectOf({ beta: 0 })];
  const agent = NeuralUcb.restore(testCheckpoint().state);
  const expected = agent.select(
    inputs.map(({ context }) => context),
    [0.5, 3, 0, 0],
  );
  assert.deepEqual(
    loaded().select(inputs),
    expected.map((choice, n) => {
      const { lowerBound: _, ...unbound } = choice;
      return {
        ...(inputs[n]!.explore ? choice : { ...unbound, uncertainty: 0 }),
        ...agent.space.at(choice.actionIndex),
        policyVersion: 1,
        fullCache: undefined,
        grounds: { agent: 'neural-ucb', encoderId: testEncoderId, beta: [0.5, 3, 0, 0][n], epsilon: 0 },
      };
    }),
  );
});

test('an empty context gets the action (10, 16), or the first one, and the advice to keep the full cache', () => {
  const answer = { prediction: 0, uncertainty: 0, ucb: 0, policyVersion: 1, fullCache: 'empty_context' };
  const empty = selectOf({ empty: true, context: new Float32Array() });
  const [first, , third] = loaded().select([empty, selectOf(), empty]);
  assert.deepEqual(first, { ...answer, actionIndex: 3, a: 10, b: 16 });
  assert.deepEqual(third, first);
  const other = new Learner({});
  const state = NeuralUcb.initial({ space: new ActionSpace([0.1], [2, 4]), dimension: 2, hidden: 3, seed: 0 }).state();
  other.importCheckpoint(testBytes({ state }), 'x');
  assert.deepEqual(other.select([empty]), [{ ...answer, actionIndex: 0, a: 0.1, b: 2 }]);
});

test('an update counts the version and the iteration; its repetition changes nothing and is answered the same', () => {
  const learner = loaded();
  const first = learner.update(updateOf('u', ['x', 'y']));
  const bytes = learner.exportCheckpoint();
  assert.equal(first.replayed, false);
  assert.deepEqual([first.answer.policyVersion, first.answer.iteration, first.answer.skipped], [2, 1, 0]);
  assert.deepEqual([first.applied, first.bounds.checked], [[0, 1], 2]);
  const again = { answer: first.answer, replayed: true, applied: [], bounds: { checked: 0, violated: 0 } };
  assert.deepEqual(learner.update(updateOf('u', ['x', 'y'])), again);
  assert.throws(() => learner.update(updateOf('u', ['x', 'z'])), { code: 'INVALID_ARGUMENT', field: 'update_id' });
  assert.deepEqual(learner.exportCheckpoint(), bytes);
});

test('experiences applied before are skipped, and a batch of nothing else is no update', () => {
  const learner = loaded();
  learner.update(updateOf('u', ['x', 'y']));
  const second = learner.update(updateOf('v', ['x', 'z'])).answer;
  assert.deepEqual([second.skipped, second.policyVersion], [1, 3]);
  const bytes = learner.exportCheckpoint();
  const third = learner.update(updateOf('w', ['x', 'y', 'z'])).answer;
  assert.deepEqual(third, { loss: 0, gradientNorm: 0, skipped: 3, policyVersion: 3, iteration: 2 });
  assert.deepEqual(learner.exportCheckpoint(), bytes);
});

test('a context that does not fit refuses the whole batch, naming both sides, and changes nothing', () => {
  const learner = loaded();
  const bytes = learner.exportCheckpoint();
  const short = { context: new Float32Array(2) };
  const foreign = { encoderId: 'other@2' };
  const wrongLength = { code: 'FAILED_PRECONDITION', message: /values: has 2 numbers, the policy was made for 6/ };
  const wrongEncoder = {
    code: 'FAILED_PRECONDITION',
    message: /encoder_id: is "other@2", .* trained on "test-encoder@1"/,
  };
  assert.throws(() => learner.select([selectOf(), selectOf(short)]), wrongLength);
  assert.throws(() => learner.select([selectOf(foreign)]), wrongEncoder);
  const { experiences } = updateOf('u', ['x', 'y']);
  const withLast = (change: object) => ({
    updateId: 'u',
    experiences: [experiences[0]!, { ...experiences[1]!, ...change }],
  });
  assert.throws(() => learner.update(withLast(short)), { ...wrongLength, field: 'experiences[1].embedding.values' });
  assert.throws(() => learner.update(withLast(foreign)), wrongEncoder);
  assert.throws(() => learner.update(withLast({ actionIndex: 4 })), {
    code: 'INVALID_ARGUMENT',
    field: 'experiences[1].action_index',
  });
  assert.deepEqual(learner.exportCheckpoint(), bytes);
  assert.equal(learner.select([selectOf({ encoderId: '' })]).length, 1); // no identity: the dimension decides
});

test('an exported policy goes on elsewhere as if it had never moved', () => {
  const whole = loaded();
  const first = loaded();
  for (const learner of [whole, first]) learner.update(updateOf('u', ['x', 'y']));
  const second = new Learner({});
  second.importCheckpoint(first.exportCheckpoint(), 'x');
  const batch = updateOf('v', ['a', 'b', 'c']);
  assert.deepEqual(second.update(batch), whole.update(batch));
  assert.deepEqual(second.exportCheckpoint(), whole.exportCheckpoint());
  const { checkpoint } = decodePolicyCheckpoint(whole.exportCheckpoint());
  const { encoderId, configHash, randomState, seed, hyperParameters } = testCheckpoint();
  assert.deepEqual(
    { ...checkpoint, state: undefined },
    { encoderId, configHash, randomState, seed, hyperParameters, iteration: 2, policyVersion: 3, state: undefined },
  );
});

test('a given number wins over the checkpoint, which wins over the default', () => {
  const learner = new Learner({ lr: 0.5 });
  learner.importCheckpoint(testBytes({ hyperParameters: { lr: 0.1, ucbBeta: 2 } }), 'x');
  assert.deepEqual(learner.describe()!.hyperParameters, { lr: 0.5, ucbBeta: 2, uncertaintyCoef: 0.1, maxGradNorm: 1 });
});

test('an import counts the version on, forgets applied updates, and refuses damage, nonsense and other spaces', () => {
  const learner = loaded();
  learner.update(updateOf('u', ['x']));
  learner.importCheckpoint(testBytes(), 'x');
  assert.equal(learner.describe()!.policyVersion, 3);
  assert.equal(learner.update(updateOf('u', ['x'])).replayed, false);
  learner.importCheckpoint(testBytes({ policyVersion: 100, iteration: 99 }), 'x');
  assert.deepEqual([learner.describe()!.policyVersion, learner.describe()!.iteration], [100, 99]);
  const before = learner.exportCheckpoint();
  const damaged = testBytes();
  damaged[damaged.length - 1]! ^= 1;
  assert.throws(() => learner.importCheckpoint(damaged, 'x'), { code: 'DATA_LOSS' });
  assert.throws(() => learner.importCheckpoint(testBytes({ hyperParameters: { lr: -1 } }), 'x'), { code: 'DATA_LOSS' });
  const space = new ActionSpace([0, 10], [8, 32]);
  const state = NeuralUcb.initial({ space, dimension: testDimension, hidden: 12, seed: 3 }).state();
  assert.throws(() => learner.importCheckpoint(testBytes({ state }), 'x'), {
    code: 'FAILED_PRECONDITION',
    message: 'x: has the action space a [0, 10] x b [8, 32], this server was started with a [0, 10] x b [8, 16]',
  });
  assert.deepEqual(learner.exportCheckpoint(), before);
});
