import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { embeddingKey } from './embedding-key.js';

test('the key is SHA-256 of the identity, the kind and the UTF-16 units or 32-bit ids', () => {
  const sha = (...parts: (string | Uint8Array)[]): string => {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest('base64url');
  };
  assert.equal(embeddingKey('m@1', { text: 'hé' }), sha('m@1\0t', Buffer.from('hé', 'utf16le')));
  assert.equal(embeddingKey('m@1', { ids: [1, 256] }), sha('m@1\0i', Buffer.from([1, 0, 0, 0, 0, 1, 0, 0])));
});

test('what differs in encoder, kind or any unit has another key', () => {
  const keys = [
    embeddingKey('m@1', { text: 'a' }),
    embeddingKey('m@2', { text: 'a' }),
    embeddingKey('m@1', { text: 'a ' }),
    embeddingKey('m@1', { text: '\ud800' }),
    embeddingKey('m@1', { text: '\ufffd' }),
    embeddingKey('m@1', { text: '' }),
    embeddingKey('m@1', { ids: [] }),
    embeddingKey('m@1', { ids: [97] }),
  ];
  assert.equal(new Set(keys).size, keys.length);
});
