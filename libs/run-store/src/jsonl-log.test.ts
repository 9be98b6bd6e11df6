import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { JsonlLog } from './jsonl-log.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-jsonl-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = (): string => join(folder, `${files++}.jsonl`);

async function all(log: JsonlLog): Promise<unknown[]> {
  const records: unknown[] = [];
  for await (const record of log.records()) records.push(record);
  return records;
}

const upTo = (last: number) => (record: unknown) => (record as { n: number }).n <= last;

test('records come back in the order they were added, also when many are added at once', async () => {
  const path = newPath();
  const log = await JsonlLog.open(path, { sync: false });
  const records = Array.from({ length: 300 }, (_, n) => ({ n, text: 'é\n"'.repeat(n) }));
  await Promise.all(records.map((record) => log.append(record)));
  assert.deepEqual(await all(log), records);
  await log.close();
  const again = await JsonlLog.open(path);
  assert.equal(again.tornLines, 0);
  await again.append({ n: 300 });
  assert.deepEqual(await all(again), [...records, { n: 300 }]);
  await again.close();
});

test('a log cut at any byte keeps its whole lines and counts the torn one', async () => {
  const lines = ['{"n":1}', '{"n":22,"s":"é"}', '{"n":3}'];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  for (let length = 0; length <= bytes.length; length++) {
    const path = newPath();
    writeFileSync(path, bytes.subarray(0, length));
    const whole = bytes.subarray(0, length).lastIndexOf(0x0a) + 1;
    const log = await JsonlLog.open(path);
    assert.equal(log.tornLines, whole < length ? 1 : 0);
    await log.append({ n: 9 });
    await log.close();
    assert.deepEqual(readFileSync(path), Buffer.concat([bytes.subarray(0, whole), Buffer.from('{"n":9}\n')]));
  }
});

test('a last line of zeros, as a machine crash leaves, is cut off', async () => {
  const path = newPath();
  writeFileSync(path, '{"n":1}\n\0\0\0\0\n');
  const log = await JsonlLog.open(path);
  assert.equal(log.tornLines, 1);
  assert.deepEqual(await all(log), [{ n: 1 }]);
  await log.close();
});

test('truncateAfter keeps the leading records that belong and counts the rest', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 10 }), fc.nat(20), async (numbers, last) => {
      const log = await JsonlLog.open(newPath(), { sync: false });
      for (const n of numbers) await log.append({ n });
      const stop = numbers.findIndex((n) => n > last);
      const kept = stop < 0 ? numbers.length : stop;
      assert.equal(await log.truncateAfter(upTo(last)), numbers.length - kept);
      await log.append({ n: 99 });
      assert.deepEqual(
        (await all(log)).map((record) => (record as { n: number }).n),
        [...numbers.slice(0, kept), 99],
      );
      await log.close();
    }),
    { numRuns: 30 },
  );
});

test('a number that is not finite is refused and the log stays as it was', async () => {
  const log = await JsonlLog.open(newPath());
  await assert.rejects(log.append({ reward: NaN }), { code: 'INVALID_ARGUMENT', field: 'reward' });
  await log.append({ reward: 1 });
  assert.deepEqual(await all(log), [{ reward: 1 }]);
  await log.close();
});

test('a broken line in the middle is named, a line over the limit refused', async () => {
  const path = newPath();
  writeFileSync(path, '{"n":1}\n{\n{"n":3}\n');
  const log = await JsonlLog.open(path);
  await assert.rejects(all(log), { code: 'DATA_LOSS', message: /line 2 is no JSON/ });
  await log.close();
  const long = newPath();
  writeFileSync(long, Buffer.alloc(17 * 1024 * 1024, 0x61));
  await assert.rejects(JsonlLog.open(long), { code: 'DATA_LOSS', message: /a line is over/ });
  await assert.rejects(JsonlLog.open(folder), { code: 'FAILED_PRECONDITION' });
});
