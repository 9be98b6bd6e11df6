import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stageTimes } from './stage-times.js';

test('the stages of a call follow each other up to its answer', () => {
  const now = performance.now();
  const { prefill, selection, decode } = stageTimes(
    { begun: now - 40, filled: now - 30, selected: now - 25 },
    now - 20,
  );
  assert.ok(prefill.from >= 40 && Math.abs(prefill.from - prefill.to - 10) < 1e-6);
  assert.equal(selection.from, prefill.to);
  assert.ok(Math.abs(selection.from - selection.to - 5) < 1e-6);
  assert.ok(decode.from <= selection.to && decode.from >= 20);
  assert.equal(decode.to, 0);
});
