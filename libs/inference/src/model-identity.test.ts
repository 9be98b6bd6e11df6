import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { modelIdentity } from './model-identity.js';

describe('a model identity', () => {
  const root = mkdtempSync(join(tmpdir(), 'a2sf-identity-'));
  after(() => rmSync(root, { recursive: true }));
  const file = (name: string, content: string): string => {
    writeFileSync(join(root, name), content);
    return join(root, name);
  };
  file('config.json', '{}');
  const a = file('a.safetensors', 'weights a');
  const b = file('b.safetensors', 'weights b');

  test('is the name and the start of a SHA-256 over config and weights', async () => {
    const sum = createHash('sha256').update('config.json\0{}\0a.safetensors\0weights a\0').digest('hex');
    assert.equal(await modelIdentity('tiny', root, [a]), `tiny@${sum.slice(0, 16)}`);
  });

  test('does not depend on the order in which the files are given', async () => {
    assert.equal(await modelIdentity('tiny', root, [a, b]), await modelIdentity('tiny', root, [b, a]));
  });

  test('changes with any byte of the weights and with the config', async () => {
    const before = await modelIdentity('tiny', root, [a]);
    file('a.safetensors', 'weights A');
    const changed = await modelIdentity('tiny', root, [a]);
    file('config.json', '{ }');
    assert.equal(new Set([before, changed, await modelIdentity('tiny', root, [a])]).size, 3);
  });
});
