import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SnapshotFolder, snapshotName } from './snapshot-folder.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-snapshot-'));
after(() => rmSync(folder, { recursive: true }));
const snapshots = new SnapshotFolder(folder);
const policy = Uint8Array.from({ length: 3 << 20 }, (_, i) => i * 7);
const whole = (bytes: Uint8Array) => ({ byteLength: bytes.length, parts: () => [bytes].values() });
const path = (sequence: number): string => join(folder, snapshotName(sequence));

test('a snapshot comes back as it was written, by its sequence', async () => {
  await snapshots.write(12, { policy: whole(policy), ledger: [Uint8Array.of(1, 2), Uint8Array.of(3)] });
  await snapshots.write(3, { policy: whole(Uint8Array.of(9)), ledger: [] });
  assert.deepEqual(await snapshots.sequences(), [3, 12]);
  const { policy: got, ledger } = await snapshots.read(12);
  assert.deepEqual(got, { path: path(12), offset: 32, byteLength: policy.length });
  assert.ok(
    readFileSync(path(12))
      .subarray(32, 32 + policy.length)
      .equals(policy),
  );
  assert.deepEqual([...ledger], [1, 2, 3]);
  await snapshots.remove([12, 13]);
  assert.deepEqual(await snapshots.sequences(), [3]);
});

test('a snapshot with any bit flipped, cut anywhere, or under another name is DATA_LOSS', async () => {
  await snapshots.write(5, { policy: whole(policy.subarray(0, 100)), ledger: [Uint8Array.of(1, 2, 3)] });
  const bytes = readFileSync(path(5));
  const refused = (): Promise<void> =>
    assert.rejects(snapshots.read(5), { code: 'DATA_LOSS', reason: 'damaged-snapshot' });
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const other = Buffer.from(bytes);
    other[bit >> 3]! ^= 1 << (bit & 7);
    writeFileSync(path(5), other);
    await refused();
  }
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path(5), bytes.subarray(0, length));
    await refused();
  }
  writeFileSync(path(6), bytes);
  await assert.rejects(snapshots.read(6), { code: 'DATA_LOSS', field: snapshotName(6) });
});

test('a large snapshot cut at any 4 KiB is DATA_LOSS', async () => {
  await snapshots.write(7, { policy: whole(policy.subarray(0, 1 << 18)), ledger: [] });
  const bytes = readFileSync(path(7));
  for (let length = 0; length < bytes.length; length += 4096) {
    writeFileSync(path(7), bytes.subarray(0, length));
    await assert.rejects(snapshots.read(7), { code: 'DATA_LOSS' });
  }
});

test('a newer format is refused by its number', async () => {
  await snapshots.write(8, { policy: whole(Uint8Array.of(1)), ledger: [] });
  const bytes = readFileSync(path(8));
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(~2 >>> 0, 12);
  writeFileSync(path(8), bytes);
  await assert.rejects(snapshots.read(8), { code: 'FAILED_PRECONDITION', reason: 'newer-format' });
});
