import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { haystackOf } from './haystack.js';
import { minNeedleLength, needleRows, type NeedleGrid } from './needle-rows.js';
import { parseRows } from './parse-rows.js';
import { writeRow } from './prompt-row.js';

const grid: NeedleGrid = { lengths: [1024, 4096], depths: [0, 0.25, 0.5, 0.75, 1], perCell: 3, seed: 1 };

/** The haystack of a prompt, without instruction and question. */
const haystackIn = (text: string) => text.split('\n').slice(1, -1).join('\n');
const longestSentence = 130;

test('the answer stands once in the prompt, at its depth, and the prompt fills its length', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: minNeedleLength + 200, max: 20_000 }), { minLength: 1, maxLength: 2 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 3 }),
      fc.nat(),
      fc.integer({ min: 0, max: 2 }),
      (lengths, depths, seed, distractors) => {
        const rows = needleRows({
          lengths: [...new Set(lengths)],
          depths: [...new Set(depths)],
          perCell: 2,
          seed,
          distractors,
        });
        for (const { text, answers, length, depth } of rows) {
          const [answer] = answers as [string];
          assert.equal(text.split(answer).length, 2);
          assert.ok(text.length <= length && text.length > length - longestSentence, `${text.length} of ${length}`);
          const hay = haystackIn(text);
          const found = hay.split('. ').findIndex((sentence) => sentence.includes(answer));
          const before = hay.split('. ').slice(0, found).join('. ').length;
          const rest = hay.length - hay.split('. ')[found]!.length;
          assert.ok(Math.abs(before - depth * rest) <= longestSentence / 2 + 3, `${before} of ${rest} at ${depth}`);
          assert.equal(hay.split('One of the special magic numbers').length - 1, 1 + distractors);
        }
      },
    ),
  );
});

test('at depth 0 the needle is the first sentence, at depth 1 the last', () => {
  const rows = needleRows({ ...grid, depths: [0, 1], distractors: 2 });
  for (const { text, answers, depth } of rows) {
    const hay = haystackIn(text);
    const at = hay.indexOf(answers[0]!);
    assert.ok(depth === 0 ? at < 80 : at > hay.length - 10);
  }
});

test('the same seed gives the same prompts, another one others, and no two prompts are alike', () => {
  const rows = needleRows(grid);
  assert.equal(rows.length, 30);
  assert.deepEqual(needleRows(grid), rows);
  const texts = new Set([...rows, ...needleRows({ ...grid, seed: 2 })].map(({ text }) => text));
  assert.equal(texts.size, 60);
});

test('depths are compared on the same haystack and needle', () => {
  const sorted = (text: string) => haystackIn(text).replace(/\.$/, '').split('. ').sort();
  const [first, ...others] = needleRows({ ...grid, lengths: [2048], perCell: 1 });
  for (const other of others) {
    assert.deepEqual(other.answers, first!.answers);
    assert.deepEqual(sorted(other.text), sorted(first!.text));
  }
});

test('a haystack can be made of given texts, whole sentences in their order', () => {
  const text = Array.from({ length: 40 }, (_, i) => `Sentence ${i} of the book!`).join(' ');
  const [row] = needleRows({ ...grid, perCell: 1, haystack: haystackOf([text, '中文。第二句。']) });
  const numbers = [...row!.text.matchAll(/Sentence (\d+) of the book!/g)].map(([, number]) => Number(number));
  assert.ok(numbers.length > 15);
  for (const [i, number] of numbers.slice(1).entries()) assert.ok(number === numbers[i]! + 1 || number === 0);
  assert.throws(() => haystackOf([' \n ']), { field: 'haystack' });
  const long = haystackOf(['x'.repeat(5000)]);
  assert.throws(() => needleRows({ ...grid, haystack: long }), { field: 'haystack', message: /1024 characters/ });
});

test('a grid that is none is refused by name', () => {
  const refused = (field: string, wrong: Partial<NeedleGrid>) =>
    assert.throws(() => needleRows({ ...grid, ...wrong }), { code: 'INVALID_ARGUMENT', field });
  refused('lengths', { lengths: [] });
  refused('lengths', { lengths: [100] });
  refused('lengths', { lengths: [1024, 1024] });
  refused('depths', { depths: [1.5] });
  refused('depths', { depths: [NaN] });
  refused('per_cell', { perCell: 0 });
  refused('per_cell', { perCell: 50_000 });
  refused('distractors', { distractors: 100 });
});

test('needle prompts are rows that are read back as they were written', () => {
  const rows = needleRows(grid);
  const jsonl = rows
    .map((row) => JSON.stringify({ ...writeRow(row), length: row.length, depth: row.depth }))
    .join('\n');
  const plain = rows.map(({ id, dataset, text, answers, allClasses }) => ({ id, dataset, text, answers, allClasses }));
  assert.deepEqual(parseRows(jsonl, 'needle.jsonl'), plain);
});
