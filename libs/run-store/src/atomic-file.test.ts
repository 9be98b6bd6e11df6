import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { removeLeftovers, writeFileAtomically } from './atomic-file.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-atomic-'));
after(() => rmSync(folder, { recursive: true }));

test('a written file replaces the old one and leaves no other', async () => {
  const path = join(folder, 'x');
  await writeFileAtomically(path, 'old');
  await writeFileAtomically(path, Uint8Array.of(1, 2));
  assert.deepEqual([...readFileSync(path)], [1, 2]);
  assert.deepEqual(readdirSync(folder), ['x']);
});

test('a failed write leaves the old file and no other', async () => {
  const name = 'x'.repeat(255); // the temporary name beside it is too long for any file system
  await assert.rejects(writeFileAtomically(join(folder, name), 'new'), { code: 'FAILED_PRECONDITION' });
  await assert.rejects(writeFileAtomically(join(folder, 'none', 'y'), 'new'), {
    code: 'NOT_FOUND',
    message: 'y: no such file',
  });
  assert.deepEqual(readdirSync(folder), ['x']);
});

test('a reader never sees a mix of two versions while they are written', async () => {
  const path = join(folder, 'big');
  const versions = [1, 2, 3, 4].map((value) => new Uint8Array(200_000).fill(value));
  await writeFileAtomically(path, versions[0]!);
  const progress = { writing: true };
  const writes = (async () => {
    for (let n = 0; n < 20; n++) await writeFileAtomically(path, versions[n % 4]!);
  })().finally(() => (progress.writing = false));
  while (progress.writing) {
    const seen = readFileSync(path);
    assert.equal(seen.length, 200_000);
    assert.equal(seen[0], seen[199_999]);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writes;
});

test('what a dead writer left half-written is removed, what a living one is writing is not', async () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const left = `.policy_1.safetensors.${dead}.0123abcd.tmp`;
  const living = `.policy_1.safetensors.${process.pid}.0123abcd.tmp`;
  for (const name of [left, living, '.other.tmp']) writeFileSync(join(folder, name), '');
  assert.deepEqual(await removeLeftovers(folder), [left]);
  assert.deepEqual(readdirSync(folder).sort(), [living, '.other.tmp', 'big', 'x'].sort());
});

test('parts are written one behind the other, and a part that cannot be made leaves the old file', async () => {
  const path = join(folder, 'parts');
  await writeFileAtomically(path, [Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)]);
  function* broken(): Generator<Uint8Array, void, undefined> {
    yield Uint8Array.of(9);
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  }
  await assert.rejects(writeFileAtomically(path, broken()), { code: 'RESOURCE_EXHAUSTED', reason: 'disk-full' });
  assert.deepEqual([...readFileSync(path)], [1, 2, 3]);
});

test('whoever holds the lock of a folder removes every temporary file, whatever number its process had', async () => {
  const left = `.snapshot.${process.pid}.0123abcd.tmp`;
  writeFileSync(join(folder, left), '');
  assert.ok((await removeLeftovers(folder, { locked: true })).includes(left));
});
