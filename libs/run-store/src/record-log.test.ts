import assert from 'node:assert/strict';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RecordLog, type LogRecovery } from './record-log.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-log-'));
after(() => rmSync(root, { recursive: true }));
let folders = 0;

const folderOf = (): string => mkdtempSync(join(root, `${folders++}-`));
const payload = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Opened {
  readonly log: RecordLog;
  readonly recovery: LogRecovery;
  readonly texts: readonly string[];
}

async function open(folder: string, from = 0, reserved: readonly number[] = [], refuse?: string): Promise<Opened> {
  const texts: string[] = [];
  const replay = (bytes: Uint8Array, sequence: number): void => {
    const text = new TextDecoder().decode(bytes);
    if (text === refuse) throw new Error('refused');
    texts.push(`${sequence}:${text}`);
  };
  return { ...(await RecordLog.open(folder, { after: from, reserved: new Set(reserved), replay })), texts };
}

/** A log of one, two, three in the first segment and four, five in the second. */
async function twoSegments(): Promise<string> {
  const folder = folderOf();
  const { log } = await open(folder);
  for (const text of ['one', 'two', 'three']) await log.append(payload(text));
  await (await log.prepareSegment()).commit();
  for (const text of ['four', 'five']) await log.append(payload(text));
  await log.close();
  return folder;
}

const first = 'log-0000000000000001.wal';
const second = 'log-0000000000000004.wal';
const all = ['1:one', '2:two', '3:three', '4:four', '5:five'];
const damaged = { code: 'DATA_LOSS', reason: 'damaged-log' };

test('what was appended is replayed in order, behind a snapshot only what it lacks', async () => {
  const folder = await twoSegments();
  for (const [from, expected] of [
    [0, all],
    [3, all.slice(3)],
  ] as const) {
    const { log, texts, recovery } = await open(folder, from);
    assert.deepEqual(texts, expected);
    assert.equal(recovery.replayed, expected.length);
    assert.equal(log.next, 6);
    await log.close();
  }
});

test('a log cut anywhere in its last record loses that one, counts it and goes on', async () => {
  const whole = await twoSegments();
  const size = readFileSync(join(whole, second)).length;
  const record = 20 + 'five'.length + 32;
  for (let cut = 1; cut < record; cut++) {
    const folder = folderOf();
    cpSync(whole, folder, { recursive: true });
    truncateSync(join(folder, second), size - cut);
    const { log, texts, recovery } = await open(folder);
    assert.deepEqual(texts, all.slice(0, 4));
    assert.equal(recovery.cut, 1);
    await log.append(payload('again'));
    await log.close();
    const after = await open(folder);
    assert.deepEqual(after.texts, [...all.slice(0, 4), '5:again']);
    assert.equal(after.recovery.cut, 0);
    await after.log.close();
  }
});

test('any flipped bit before the last record is refused with DATA_LOSS naming the file and the byte', async () => {
  const folder = await twoSegments();
  for (const name of [first, second]) {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const last = name === second ? 20 + 'five'.length + 32 : 0;
    for (let bit = 0; bit < 8 * (bytes.length - last); bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, bytes);
      await assert.rejects(
        open(folder),
        { ...damaged, field: name, message: /^log-\d+\.wal: .* at byte \d+$/ },
        `${bit}`,
      );
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    writeFileSync(path, bytes);
  }
  const { log, texts } = await open(folder);
  assert.deepEqual(texts, all);
  await log.close();
});

test('a segment that is cut or missing, with a later one there, is DATA_LOSS', async () => {
  const cut = await twoSegments();
  truncateSync(join(cut, first), 60);
  await assert.rejects(open(cut), damaged);
  for (const [name, from] of [
    [first, 0],
    [second, 3],
  ] as const) {
    const folder = await twoSegments();
    unlinkSync(join(folder, name));
    await assert.rejects(open(folder, from), damaged, name);
  }
});

test('a newer format is refused by its number', async () => {
  const folder = await twoSegments();
  const bytes = readFileSync(join(folder, second));
  bytes.writeUInt32LE(2, 8);
  bytes.writeUInt32LE(~2 >>> 0, 12);
  writeFileSync(join(folder, second), bytes);
  await assert.rejects(open(folder), {
    code: 'FAILED_PRECONDITION',
    reason: 'newer-format',
    message: /has format version 2/,
  });
});

test('a record that is taken back is not replayed', async () => {
  const folder = folderOf();
  const { log } = await open(folder);
  await log.append(payload('kept'));
  await log.append(payload('dropped'));
  await log.dropLast();
  await log.append(payload('next'));
  await log.close();
  const { log: again, texts, recovery } = await open(folder);
  assert.deepEqual(texts, ['1:kept', '2:next']);
  assert.equal(recovery.cut, 0, 'nothing of the longer one is left behind');
  await again.close();
});

test('a last record that cannot be applied is cut off, another is DATA_LOSS', async () => {
  const folder = await twoSegments();
  await assert.rejects(open(folder, 0, [], 'four'), {
    ...damaged,
    message: /cannot be applied \(refused\) at byte 32/,
  });
  const { log, texts, recovery } = await open(folder, 0, [], 'five');
  assert.deepEqual(texts, all.slice(0, 4));
  assert.equal(recovery.cut, 1);
  await log.close();
});

test('a sequence given to a snapshot is a gap that is never replayed across; an empty segment of a failed one is passed over', async () => {
  const folder = await twoSegments();
  const before = await open(folder);
  await before.log.prepareSegment(1); // made for a snapshot that never came
  await before.log.close();
  const passed = await open(folder);
  assert.equal(passed.log.next, 6);
  const segment = await passed.log.prepareSegment(1);
  await segment.commit();
  await passed.log.append(payload('seven'));
  await passed.log.close();
  await assert.rejects(open(folder, 0, [6]), { ...damaged, message: /the records from 6 to 6 are missing/ });
  const behind = await open(folder, 6, [6]);
  assert.deepEqual(behind.texts, ['7:seven']);
  await behind.log.close();
});

test('segments that a snapshot makes needless are deleted, never the one written to', async () => {
  const folder = await twoSegments();
  const { log } = await open(folder);
  await log.removeUpTo(2);
  assert.deepEqual(readdirSync(folder), [first, second]);
  await log.removeUpTo(3);
  assert.deepEqual(readdirSync(folder), [second]);
  await log.removeUpTo(100);
  assert.deepEqual(readdirSync(folder), [second]);
  await log.close();
});
