import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { crc32c, maskedCrc32c } from './crc32c.js';
import { encodeEventFile, type Scalar } from './event-file.js';
import { readRun } from './read-run.js';
import { runFiles, writeRun } from './run.fixture.js';
import { scalarsOf } from './scalars.js';

test('CRC-32C has the values of RFC 3720, B.4', () => {
  const cases: readonly (readonly [Uint8Array, number])[] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    [Buffer.from('123456789'), 0xe3069283],
  ];
  for (const [bytes, value] of cases) assert.equal(crc32c(bytes), value);
});

test('an event file begins as every one of TensorFlow does: 24 bytes, the masked CRC of that', () => {
  const head = Buffer.from(encodeEventFile([])).subarray(0, 12);
  assert.equal(head.toString('hex'), '1800000000000000a37f4b22');
});

/** What a reader of protocol buffers sees: the fields of a message in order. */
function fields(data: Buffer): [field: number, value: Buffer][] {
  const found: [number, Buffer][] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  };
  while (at < data.length) {
    const key = varint();
    const start = at;
    const length = { 0: () => (varint(), at - start), 1: () => 8, 2: varint, 5: () => 4 }[key % 8]!();
    if (key % 8 !== 0) at += length;
    found.push([Math.floor(key / 8), data.subarray(at - length, at)]);
  }
  return found;
}

/** The reader's twin of the writer; fails when a checksum is wrong. */
function decode(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    assert.equal(file.readUInt32LE(at + 8), maskedCrc32c(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    assert.equal(file.readUInt32LE(at + 12 + length), maskedCrc32c(data));
    records.push(data);
    at += 16 + length;
  }
  return records;
}

test('an event file is read back: the version, then every scalar', () => {
  const scalars: Scalar[] = [
    { tag: 'train/reward', step: 0, wallTime: 1.5e9, value: 0.5 },
    { tag: 'é/ü', step: 300, wallTime: 1.5e9 + 0.25, value: -2 },
    { tag: 'x'.repeat(200), step: 5_000_000_000, wallTime: 0, value: 1e-3 },
  ];
  const [version, ...events] = decode(Buffer.from(encodeEventFile(scalars)));
  assert.equal(fields(version!)[1]![1].toString(), 'brain.Event:2');
  const read = events.map((event) => {
    const [time, step, summary] = fields(event).map(([, value]) => value);
    const [tag, value] = fields(fields(summary!)[0]![1]).map(([, part]) => part);
    const steps = [...step!].reduce((sum, byte, i) => sum + (byte & 127) * 128 ** i, 0);
    return { tag: tag!.toString(), step: steps, wallTime: time!.readDoubleLE(), value: value!.readFloatLE() };
  });
  assert.deepEqual(
    read,
    scalars.map((scalar) => ({ ...scalar, value: Math.fround(scalar.value) })),
  );
});

test('a run’s scalars: an iteration ends when all before it took their time', async () => {
  const folder = writeRun(runFiles());
  const scalars = scalarsOf(await readRun(folder), 1000);
  rmSync(folder, { recursive: true });
  const of = (tag: string) => scalars.filter((scalar) => scalar.tag === tag);
  assert.deepEqual(
    of('train/reward').map(({ step, wallTime }) => wallTime - 2 * step),
    Array(10).fill(1000),
  );
  assert.equal(of('train/loss').length, 9);
  assert.deepEqual(
    of('evaluation/regret').map(({ step, wallTime, value }) => [step, wallTime, value]),
    [
      [3, 1006, 0.375],
      [7, 1014, 0.375],
      [10, 1020, 0.375],
    ],
  );
});

test('iterations that were not logged took as long as the next one that was', async () => {
  const lines = runFiles();
  const logged = lines['progress.jsonl'].filter(({ iteration }) => iteration % 5 === 0);
  const folder = writeRun({ ...lines, 'progress.jsonl': logged });
  const scalars = scalarsOf(await readRun(folder), 0);
  rmSync(folder, { recursive: true });
  const rewards = scalars.filter(({ tag }) => tag === 'train/reward');
  assert.deepEqual(
    rewards.map(({ step, wallTime }) => [step, wallTime]),
    [
      [5, 10],
      [10, 20],
    ],
  );
});
