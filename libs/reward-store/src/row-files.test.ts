import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { boundedLines, type FileLine } from './bounded-lines.js';
import { dataFilesOf, readRowFiles } from './row-files.js';
import { storePrompts } from './store-prompts.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-rows-'));
after(() => rmSync(root, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const path = join(root, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const row = (id: string, prompt = `prompt ${id}`) => JSON.stringify({ id, dataset: 'd', prompt, answers: [] });

test('a file is read as its lines, whatever their length, and one over the limit is counted', async () => {
  const word = fc.oneof(fc.string({ maxLength: 30, unit: 'grapheme' }), fc.constant('x'.repeat(300_000)));
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 6 }), fc.boolean(), async (words, ended) => {
      const lines = words.map((text) => text.replaceAll('\n', ''));
      const path = write('lines', lines.join('\n') + (ended && lines.length > 0 ? '\n' : ''));
      const found: FileLine[] = [];
      for await (const line of boundedLines(path, 1000)) found.push(line);
      if (!ended && lines.at(-1) === '') lines.pop();
      const expected = lines.map((text, i) => {
        const bytes = Buffer.byteLength(text);
        return bytes > 1000 ? { number: i + 1, bytes } : { number: i + 1, text };
      });
      assert.deepEqual(found, expected);
    }),
    { numRuns: 50 },
  );
});

test('the rows of all files come in order, with the hash of each file, and ids that two files use are told apart', async () => {
  const files = [write('one.jsonl', `${row('a')}\n${row('b')}\n`), write('two.jsonl', `\uFEFF${row('b', 'x')}\r\n`)];
  const read = await readRowFiles(files);
  assert.deepEqual(
    read.rows.map(({ id }) => id),
    ['a', 'one.jsonl/b', 'two.jsonl/b'],
  );
  const sha256 = createHash('sha256')
    .update(`${row('a')}\n${row('b')}\n`)
    .digest('hex');
  assert.deepEqual(read.files[0], { file: 'one.jsonl', sha256 });
});

test('the problems of all files are told at once, a line of a gigabyte among them', async () => {
  const huge = write('huge.jsonl', `${row('a')}\n`);
  truncateSync(huge, 2 ** 30);
  const bad = write('bad.jsonl', `{\n${row('a')}\n${row('a')}\n`);
  const names = [huge, bad, write('else/bad.jsonl', row('z')), join(root, 'absent.jsonl'), write('empty.jsonl', '\n')];
  await assert.rejects(readRowFiles(names), (error: Error & { reason?: string; field?: string }) => {
    assert.deepEqual([error.reason, error.field], ['invalid-rows', 'data']);
    assert.deepEqual(error.message.split('; '), [
      `huge.jsonl:2: is ${2 ** 30 - row('a').length - 1} bytes long, the limit is 25165824`,
      'bad.jsonl:1: is not JSON',
      'bad.jsonl:3: id: "a" was used on line 2',
      'bad.jsonl: two files have this name',
      'absent.jsonl: cannot be read (ENOENT)',
      'empty.jsonl: holds no rows',
    ]);
    return true;
  });
  rmSync(huge);
});

test('a folder stands for its .jsonl files, sorted', async () => {
  const folder = join(root, 'folder');
  for (const name of ['b.jsonl', 'a.jsonl', 'manifest.json']) write(`folder/${name}`, '');
  assert.deepEqual(await dataFilesOf([folder]), [join(folder, 'a.jsonl'), join(folder, 'b.jsonl')]);
  mkdirSync(join(root, 'bare'));
  await assert.rejects(dataFilesOf([join(root, 'bare')]), { field: 'data', message: /holds no \.jsonl file/ });
  await assert.rejects(dataFilesOf([join(root, 'nowhere')]), { field: 'data', message: /there is no file or folder/ });
});

test('blank and repeated prompts are left out and told', () => {
  const rows = ['x', ' \n', 'y', 'x'].map((text, i) => {
    return { id: `${i}`, dataset: 'd', text, answers: [], allClasses: [] };
  });
  const { prompts, notes } = storePrompts(rows, 'llama2');
  assert.deepEqual(
    prompts.map(({ id, wrap }) => [id, wrap]),
    [
      ['0', 'PROMPT_WRAP_INST'],
      ['2', 'PROMPT_WRAP_INST'],
    ],
  );
  assert.deepEqual(notes, ['1 blank prompts were left out', '1 repeated prompts were left out']);
  assert.throws(() => storePrompts(rows.slice(1, 2), ''), { field: 'data' });
});
