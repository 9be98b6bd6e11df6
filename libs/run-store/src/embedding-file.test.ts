import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { EmbeddingFile, type EmbeddingEntry } from './embedding-file.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-embeddings-'));
after(() => rmSync(root, { recursive: true, force: true }));

function entry(hash: string, encoderId = 'encoder-1', dimension = 5): EmbeddingEntry {
  const values = Array.from({ length: dimension }, (_, i) => Math.fround((hash.charCodeAt(0) + i) / 7));
  return { hash, embedding: { values, tokens: 10 + dimension, truncated: true, empty: false, encoderId } };
}

async function fileWith(name: string, calls: readonly (readonly EmbeddingEntry[])[]): Promise<string> {
  const path = join(root, name);
  const file = await EmbeddingFile.open(path);
  for (const entries of calls) await file.add(entries);
  await file.close();
  return path;
}

const calls = [[entry('a'), entry('b', 'encoder-1', 3)], [entry('c')]];

test('what was kept is there again, bit for bit, also in a file that is opened again', async () => {
  const path = join(root, 'whole');
  const file = await EmbeddingFile.open(path);
  await Promise.all(calls.map((entries) => file.add(entries)));
  for (const { hash, embedding } of calls.flat()) assert.deepEqual(await file.get('encoder-1', hash), embedding);
  await file.close();
  const again = await EmbeddingFile.open(path);
  assert.equal(again.size, 3);
  for (const { hash, embedding } of calls.flat()) assert.deepEqual(await again.get('encoder-1', hash), embedding);
  assert.equal(await again.get('encoder-2', 'a'), undefined, 'an embedding belongs to its encoder');
  assert.equal(await again.get('encoder-1', 'd'), undefined);
  await again.close();
});

test('a file that is cut at any byte gives its whole calls and takes more', async () => {
  const first = statSync(await fileWith('first', calls.slice(0, 1))).size;
  const whole = readFileSync(await fileWith('cut', calls));
  const path = join(root, 'cut');
  for (let bytes = 0; bytes <= whole.length; bytes++) {
    writeFileSync(path, whole.subarray(0, bytes));
    const file = await EmbeddingFile.open(path);
    const expected = bytes === whole.length ? 3 : bytes >= first ? 2 : 0;
    assert.equal(file.size, expected, `${bytes} bytes`);
    await file.add([entry('z')]);
    await file.close();
    const again = await EmbeddingFile.open(path);
    assert.deepEqual(await again.get('encoder-1', 'z'), entry('z').embedding);
    assert.equal(again.size, expected + 1);
    await again.close();
  }
});

test('damage before the last record is told with its byte, and garbage behind it is cut off', async () => {
  const path = await fileWith('damaged', calls);
  const whole = readFileSync(path);
  for (const at of [40, 60, 150]) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1;
    writeFileSync(path, bytes);
    await assert.rejects(EmbeddingFile.open(path), { code: 'DATA_LOSS', message: /^damaged: .* at byte 32$/ });
  }
  writeFileSync(path, whole);
  appendFileSync(path, Buffer.alloc(100, 7));
  const file = await EmbeddingFile.open(path);
  await file.close();
  assert.equal(statSync(path).size, whole.length);
  truncateSync(path, 40);
  writeFileSync(path, Buffer.concat([Buffer.from('X'), whole.subarray(1)]));
  await assert.rejects(EmbeddingFile.open(path), { code: 'DATA_LOSS', message: /no header/ });
});

test('a component that single precision does not hold is refused, and nothing is written', async () => {
  const file = await EmbeddingFile.open(join(root, 'refused'));
  const { embedding } = entry('a');
  for (const value of [0.1, NaN, 1e300]) {
    const entries = [{ hash: 'a', embedding: { ...embedding, values: [value] } }];
    await assert.rejects(file.add(entries), { code: 'INVALID_ARGUMENT', field: 'embedding' });
  }
  await file.add([entry('b')]);
  assert.equal(file.size, 1);
  await file.close();
});
