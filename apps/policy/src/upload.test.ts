import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { receiveUpload } from './upload.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-upload-'));
after(() => rmSync(folder, { recursive: true }));

async function* pieces(...parts: readonly (string | Error)[]) {
  for (const [i, part] of parts.entries()) {
    if (part instanceof Error) throw part;
    yield { data: Buffer.from(part), challenger: i === 0 };
  }
}

test('an upload lies in one file until it is discarded, and its first piece says what it is for', async () => {
  const { path, byteLength, challenger, discard } = await receiveUpload(pieces('ab', '', 'cde'), folder, 5);
  assert.equal(readFileSync(path, 'utf8'), 'abcde');
  assert.deepEqual([byteLength, challenger], [5, true]);
  await discard();
  await discard();
  assert.deepEqual(readdirSync(folder), []);
});

test('an upload that is too long, empty or broken off leaves no file', async () => {
  await assert.rejects(receiveUpload(pieces('ab', 'cdef'), folder, 5), { reason: 'checkpoint-too-large' });
  await assert.rejects(receiveUpload(pieces('', ''), folder, 5), { field: 'data' });
  await assert.rejects(receiveUpload(pieces('ab', new Error('gone')), folder, 5), /gone/);
  await assert.rejects(receiveUpload(pieces('a'), join(folder, 'none'), 5), { code: 'NOT_FOUND' });
  assert.deepEqual(readdirSync(folder), []);
});
