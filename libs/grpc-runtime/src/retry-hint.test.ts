import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { A2sfError } from '@a2sf/errors';
import { RetryHints } from './retry-hint.js';

const full = new A2sfError('RESOURCE_EXHAUSTED', 'full', { reason: 'queue-full' });
const hints = (random = 0.5): RetryHints => new RetryHints(() => random);

describe('the hint when to try again', () => {
  test('is the median stay of the last calls of the method, spread by half of it', () => {
    for (const [random, expected] of [
      [0, 100],
      [0.5, 200],
      [0.999, 300],
    ] as const) {
      const some = hints(random);
      for (const stay of [100, 9000, 200]) some.observe('/a', stay);
      assert.equal(some.of('/a', full), expected);
      assert.ok(some.of('/b', full)! >= 500);
    }
  });

  test('forgets what is long ago', () => {
    const some = hints();
    for (let i = 0; i < 100; i++) some.observe('/a', 9000);
    for (let i = 0; i < 16; i++) some.observe('/a', 200);
    assert.equal(some.of('/a', full), 200);
  });

  test('is 1 s while nothing is known, and never below 50 ms or over 10 s', () => {
    const some = hints();
    assert.equal(some.of('/a', full), 1000);
    some.observe('/a', 0.2);
    some.observe('/b', 1e7);
    assert.deepEqual([some.of('/a', full), some.of('/b', full)], [50, 10_000]);
  });

  test('says not to try again where a limit does not move, and nothing of other refusals', () => {
    const some = hints();
    const long = new A2sfError('RESOURCE_EXHAUSTED', 'too long', { reason: 'prompt-too-long' });
    assert.equal(some.of('/a', long), -1);
    assert.equal(some.of('/a', new A2sfError('UNAVAILABLE', 'loading')), undefined);
    assert.equal(some.of('/a', new A2sfError('UNAVAILABLE', 'loading', { retryAfterMs: 300 })), 300);
  });
});
