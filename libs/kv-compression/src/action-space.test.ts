import assert from 'node:assert/strict';
import test from 'node:test';
import { ActionSpace, validateAction } from './action-space.js';

test('the default space has sixty actions', () => {
  assert.equal(ActionSpace.default.size, 60);
  assert.equal(ActionSpace.default.actions().length, 60);
  assert.deepEqual(ActionSpace.default.at(0), { a: 0, b: 1 });
  assert.deepEqual(ActionSpace.default.at(13), { a: 0.001, b: 2 });
  assert.deepEqual(ActionSpace.default.at(59), { a: 10, b: 8192 });
});

test('an index and its action name each other', () => {
  const space = new ActionSpace([0, 0.5, 2], [3, 1]);
  assert.deepEqual(
    space.actions().map((action) => space.indexOf(action)),
    [0, 1, 2, 3, 4, 5],
  );
  assert.deepEqual(
    space.actions(),
    [0, 1, 2, 3, 4, 5].map((index) => space.at(index)),
  );
});

test('an action outside the space has no index', () => {
  assert.equal(ActionSpace.default.indexOf({ a: 0.1, b: 3 }), undefined);
  assert.equal(ActionSpace.default.indexOf({ a: 0.2, b: 1 }), undefined);
  assert.equal(ActionSpace.default.indexOf({ a: NaN, b: 1 }), undefined);
});

test('a space read back from float32 tensors is the space that was written', () => {
  const { aValues, bValues } = ActionSpace.default;
  const readBack = new ActionSpace(Float32Array.from(aValues), Float32Array.from(bValues));
  assert.ok(readBack.equals(ActionSpace.default));
  assert.deepEqual(readBack.aValues, aValues);
  assert.equal(readBack.indexOf({ a: 0.001, b: 1 }), 12);
  assert.equal(readBack.indexOf({ a: Math.fround(0.001), b: 1 }), 12);
});

test('spaces of other values or another order differ', () => {
  assert.ok(!new ActionSpace([0, 1], [1]).equals(new ActionSpace([1, 0], [1])));
  assert.ok(!new ActionSpace([0, 1], [1]).equals(new ActionSpace([0, 1], [1, 2])));
});

test('an invalid space, index or action is refused with the field and the limit', () => {
  const code = 'INVALID_ARGUMENT';
  assert.throws(() => new ActionSpace([], [1]), { code, message: 'a_values: needs at least one value' });
  assert.throws(() => new ActionSpace([0], []), { code, field: 'b_values' });
  assert.throws(() => new ActionSpace([0, -1], [1]), { code, field: 'a_values[1]' });
  assert.throws(() => new ActionSpace([Infinity], [1]), { code, field: 'a_values[0]' });
  assert.throws(() => new ActionSpace([1e300], [1]), { code, field: 'a_values[0]' });
  assert.throws(() => new ActionSpace([1], [0.5]), { code, field: 'b_values[0]' });
  assert.throws(() => new ActionSpace([1, 1], [1]), { code, message: 'a_values: lists 1 twice' });
  assert.throws(() => ActionSpace.default.at(60), {
    code,
    message: 'action_index: must be a whole number in 0..59, got 60',
  });
  assert.throws(() => ActionSpace.default.at(0.5), { code });
  assert.throws(() => ActionSpace.default.at(-1, 'experiences[2].action_index'), {
    field: 'experiences[2].action_index',
  });
  assert.throws(() => validateAction({ a: NaN, b: 1 }, 'actions[0]'), { code, field: 'actions[0].a' });
  assert.throws(() => validateAction({ a: 1, b: 0 }), { code, field: 'action.b' });
  assert.throws(() => validateAction({ a: 1, b: 2 ** 32 }), { code, field: 'action.b' });
});

test('with budgets an action is a triple, the budget its fastest index', () => {
  const space = new ActionSpace([0, 10], [8, 16], [16, 64, 128]);
  assert.equal(space.size, 12);
  assert.deepEqual(space.at(0), { a: 0, b: 8, budget: 16 });
  assert.deepEqual(space.at(4), { a: 0, b: 16, budget: 64 });
  assert.deepEqual(
    space.actions().map((action) => space.indexOf(action)),
    Array.from({ length: 12 }, (_, i) => i),
  );
  assert.deepEqual(space.at(space.fallback), { a: 10, b: 16, budget: 128 });
  assert.equal(space.indexOf({ a: 0, b: 8 }), undefined);
  assert.equal(space.indexOf({ a: 0, b: 8, budget: 32 }), undefined);
  assert.equal(new ActionSpace([0, 10], [8, 16]).indexOf({ a: 0, b: 8, budget: 16 }), undefined);
  assert.ok(!space.equals(new ActionSpace([0, 10], [8, 16])));
  assert.ok(space.equals(new ActionSpace([0, 10], [8, 16], [16, 64, 128])));
  assert.equal(space.toString(), 'a in {0, 10}, b in {8, 16} and budget in {16, 64, 128}');
});

test('budgets that do not ascend, are no whole number or out of range are refused', () => {
  const of =
    (...budgets: number[]) =>
    () =>
      new ActionSpace([0], [1], budgets);
  assert.throws(of(64, 16), { field: 'budgets', message: 'budgets: must ascend, got 16 behind 64' });
  assert.throws(of(64, 64), { field: 'budgets', message: 'budgets: must ascend, got 64 behind 64' });
  assert.throws(of(0), { message: 'budgets[0]: must be a whole number in 1..1048576, got 0' });
  assert.throws(of(16, 1.5), { field: 'budgets[1]' });
  assert.throws(of(16, 2 ** 21), { field: 'budgets[1]' });
  assert.throws(() => validateAction({ a: 1, b: 1, budget: 0 }), { field: 'action.budget' });
});
