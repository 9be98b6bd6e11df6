import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpdateLedger, type UpdateInput } from './update-ledger.js';

function updateOf(updateId: string, ids: readonly string[], reward = 0.5): UpdateInput {
  const context = Float32Array.of(1, 2);
  const experiences = ids.map((id) => ({ field: '', id, context, encoderId: '', actionIndex: 0, reward }));
  return { updateId, experiences };
}

test('a repeated update gets the answer it got before, and its id serves no other experiences', () => {
  const ledger = new UpdateLedger<number>();
  const update = updateOf('u', ['x', 'y']);
  assert.equal(ledger.answered(update), undefined);
  ledger.record(update, 7);
  assert.equal(ledger.answered(updateOf('u', ['x', 'y'])), 7);
  assert.equal(ledger.answered(updateOf('v', ['x', 'y'])), undefined);
  for (const other of [updateOf('u', ['x']), updateOf('u', ['y', 'x']), updateOf('u', ['x', 'y'], 0.25)]) {
    assert.throws(() => ledger.answered(other), { code: 'INVALID_ARGUMENT', field: 'update_id' });
  }
  assert.deepEqual(
    ['x', 'y', 'z'].map((id) => ledger.hasApplied(id)),
    [true, true, false],
  );
});

test('the oldest updates and experiences are forgotten over the limits', () => {
  const ledger = new UpdateLedger<number>({ updates: 2, experiences: 3 });
  for (let n = 0; n < 4; n++) ledger.record(updateOf(`u${n}`, [`x${n}`]), n);
  assert.equal(ledger.answered(updateOf('u1', ['x1'])), undefined);
  assert.equal(ledger.answered(updateOf('u2', ['x2'])), 2);
  assert.deepEqual(
    [0, 1, 2, 3].map((n) => ledger.hasApplied(`x${n}`)),
    [false, true, true, true],
  );
});
