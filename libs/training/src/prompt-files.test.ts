import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promptSetHash, readPrompts } from './prompt-files.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-prompts-'));
after(() => rmSync(root, { recursive: true, force: true }));

interface Row {
  readonly prompt: string;
  readonly dataset?: string;
}

function write(path: string, rows: readonly Row[]): string {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, rows.map((row) => `${JSON.stringify({ dataset: 'multi_news', ...row })}\n`).join(''));
  return file;
}

const rows = Array.from({ length: 200 }, (_, i) => ({ prompt: `prompt number ${i}` }));
const all = { datasets: [], evalSamples: 0, modelName: '' };

test('a single file is split about 80 to 20 by content: order and repetition of rows change no side', async () => {
  const { train, evaluation } = await readPrompts({ ...all, path: write('one.jsonl', rows) });
  assert.equal(train.length + evaluation.length, 200);
  assert.ok(evaluation.length > 20 && evaluation.length < 60, `${evaluation.length}`);
  const twice = await readPrompts({ ...all, path: write('two.jsonl', [...rows.toReversed(), ...rows]) });
  const texts = (prompts: readonly { readonly text: string }[]) => [...new Set(prompts.map(({ text }) => text))].sort();
  assert.deepEqual(texts(twice.train), texts(train));
  assert.deepEqual(texts(twice.evaluation), texts(evaluation));
});

test('even two prompts are split into one for training and one for evaluation; one alone is refused', async () => {
  for (let i = 0; i < 20; i++) {
    const path = write('pair.jsonl', rows.slice(2 * i, 2 * i + 2));
    const { train, evaluation } = await readPrompts({ ...all, path });
    assert.deepEqual([train.length, evaluation.length], [1, 1]);
  }
  await assert.rejects(readPrompts({ ...all, path: write('single.jsonl', rows.slice(0, 1)) }), {
    code: 'INVALID_ARGUMENT',
    field: 'data',
  });
});

test('a folder has its own sides, and a training prompt that is an evaluation prompt too is left out', async () => {
  write('folder/train.jsonl', rows.slice(0, 10));
  write('folder/eval.jsonl', rows.slice(8, 12));
  const { train, evaluation, notes } = await readPrompts({ ...all, path: join(root, 'folder') });
  assert.deepEqual([train.length, evaluation.length], [8, 4]);
  assert.match(notes.join(), /2 training prompts are evaluation prompts too/);
});

test('the number of evaluation prompts is bounded by content, whatever their order', async () => {
  write('bound/train.jsonl', rows.slice(0, 10));
  write('bound/eval.jsonl', rows.slice(20, 60));
  const few = await readPrompts({ ...all, evalSamples: 7, path: join(root, 'bound') });
  write('bound/eval.jsonl', rows.slice(20, 60).toReversed());
  const again = await readPrompts({ ...all, evalSamples: 7, path: join(root, 'bound') });
  assert.equal(few.evaluation.length, 7);
  const hashes = (prompts: typeof few) => prompts.evaluation.map(({ hash }) => hash).sort();
  assert.deepEqual(hashes(again), hashes(few));
});

test('rows can be chosen by dataset, and a dataset that no row has is refused with those that are there', async () => {
  const mixed = rows.map((row, i) => ({ ...row, dataset: i % 2 === 0 ? 'trec' : 'multi_news' }));
  const path = write('mixed.jsonl', mixed);
  const { train } = await readPrompts({ ...all, datasets: ['trec'], path });
  assert.ok(train.every(({ dataset }) => dataset === 'trec'));
  await assert.rejects(readPrompts({ ...all, datasets: ['lcc'], path }), /datasets: .*lcc, only of multi_news, trec/);
});

test('prompts of the presets that were tuned on it are wrapped, but for datasets that are to be continued', async () => {
  const mixed = rows.map((row, i) => ({ ...row, dataset: i % 2 === 0 ? 'trec' : 'multi_news' }));
  const path = write('wrap.jsonl', mixed);
  const wraps = async (modelName: string) => {
    const { train } = await readPrompts({ ...all, modelName, path });
    return new Set(train.map(({ dataset, wrap }) => `${dataset} ${wrap}`));
  };
  assert.deepEqual(await wraps('llama2'), new Set(['trec PROMPT_WRAP_UNSPECIFIED', 'multi_news PROMPT_WRAP_INST']));
  assert.deepEqual(await wraps(''), new Set(['trec PROMPT_WRAP_UNSPECIFIED', 'multi_news PROMPT_WRAP_UNSPECIFIED']));
});

test('blank prompts are left out and told, a missing file is refused by name', async () => {
  const path = write('blank.jsonl', [...rows, { prompt: ' \n' }]);
  assert.match((await readPrompts({ ...all, path })).notes.join(), /1 blank prompts were left out/);
  await assert.rejects(readPrompts({ ...all, path: join(root, 'absent.jsonl') }), /data: there is no file or folder/);
  await assert.rejects(readPrompts({ ...all, path: root }), /data: cannot read .*train\.jsonl/);
});

test('the hash of a prompt set tells texts, answers and order apart', async () => {
  const { train } = await readPrompts({ ...all, path: write('hash.jsonl', rows) });
  const hash = promptSetHash(train);
  assert.equal(promptSetHash([...train]), hash);
  assert.notEqual(promptSetHash(train.toReversed()), hash);
  assert.notEqual(promptSetHash([{ ...train[0]!, answers: ['other'] }, ...train.slice(1)]), hash);
});
