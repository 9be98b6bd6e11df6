import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from './backoff.js';

test('pauses double from 100 ms to 5 s, are cut by up to a half, and start over after a success', () => {
  const whole = new Backoff(() => 0);
  assert.deepEqual(
    Array.from({ length: 8 }, () => whole.next()),
    [100, 200, 400, 800, 1600, 3200, 5000, 5000],
  );
  whole.reset();
  assert.equal(whole.next(), 100);
  assert.equal(new Backoff(() => 0.5).next(), 75);
});
