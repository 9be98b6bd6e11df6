import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveOptions } from '@a2sf/config';
import { options } from './options.js';
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
