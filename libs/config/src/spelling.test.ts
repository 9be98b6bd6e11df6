import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest, snakeCase } from './spelling.js';

test('keys are spelled in snake_case', () => {
  assert.equal(snakeCase('maxMessageBytes'), 'max_message_bytes');
  assert.equal(snakeCase('port'), 'port');
  assert.equal(snakeCase('k8sNode'), 'k8s_node');
});

test('the nearest word is found when it is close, the first on ties', () => {
  assert.equal(nearest('prot', ['host', 'port']), 'port');
  assert.equal(nearest('itertions', ['iterations', 'items']), 'iterations');
  assert.equal(nearest('zzz', ['port']), undefined);
  assert.equal(nearest('x'.repeat(1e6), ['port']), undefined);
});
