import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOptions } from '@a2sf/config';
import { options } from './options.js';
import { Backoff } from './replica-backoff.js';
import { requireRole } from './replica-start.js';

function check(...argv: string[]): void {
  requireRole(resolveOptions({ name: 'test', description: '' }, options, argv, {}));
}

test('a replica needs the address of its learner and keeps no state; a learner follows nobody', () => {
  check();
  check('--role', 'learner', '--state_dir', 'x');
  for (const address of ['127.0.0.1:50054', 'dns:///policy-learner:50054', 'unix:/run/policy']) {
    check('--role', 'replica', '--learner', address);
  }
  const refused = (message: RegExp) => ({ code: 'INVALID_ARGUMENT', reason: 'usage', message });
  assert.throws(() => check('--role', 'replica'), refused(/^--learner: a replica needs/));
  assert.throws(() => check('--learner', 'a:1'), refused(/^--learner: only a replica/));
  assert.throws(() => check('--role', 'replica', '--learner', 'a'), refused(/^--learner: .*host:port/));
  assert.throws(() => check('--role', 'replica', '--learner', 'a:1', '--state_dir', 'x'), refused(/^--state_dir: /));
  assert.throws(() => check('--role', 'boss'), /learner, replica/);
});

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
