import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionText, budgetOf, contractNames, parseAction, promptText } from './client-options.js';

test('an action is written a,b or a,b,budget', () => {
  assert.deepEqual(parseAction('10,16', 'action'), { a: 10, b: 16 });
  assert.deepEqual(parseAction('0.001, 8192', 'action'), { a: 0.001, b: 8192 });
  assert.deepEqual(parseAction('10,16,64', 'action'), { a: 10, b: 16, budget: 64 });
  for (const wrong of [
    '',
    '10',
    '10,',
    ',16',
    '-1,16',
    '10,0',
    '10,1.5',
    '10,16,0',
    '10,16,1.5',
    '10,16,',
    '10,16,64,1',
    'a,b',
  ]) {
    assert.throws(() => parseAction(wrong, 'action'), { reason: 'usage' }, wrong);
  }
});

test('the budget of an action is asked for unless a flag names another', () => {
  const action = { a: 10, b: 16, budget: 64 };
  assert.equal(budgetOf(128, 'default', action), 64);
  assert.equal(budgetOf(32, 'flag', action), 32);
  assert.equal(budgetOf(128, 'default', { a: 10, b: 16 }), 128);
  assert.deepEqual(parseAction(actionText(action), 'action'), action);
});

test('an answer is printed with the contract’s names', () => {
  assert.deepEqual(contractNames({ tokenIds: [1], results: [{ sameAs: 0, _sameAs: 'sameAs' }], full: null }), {
    token_ids: [1],
    results: [{ same_as: 0 }],
    full: null,
  });
});

test('a prompt comes from one place', async () => {
  assert.equal(await promptText({ prompt: 'x' }), 'x');
  await assert.rejects(promptText({ prompt: 'x', promptFile: 'y' }), { reason: 'usage' });
  await assert.rejects(promptText({ promptFile: '/nonexistent/file' }), { code: 'NOT_FOUND', field: 'prompt_file' });
});
