import assert from 'node:assert/strict';
import test from 'node:test';
import { datasetNamed, datasetNames } from './datasets.js';
import { parseRows } from './parse-rows.js';
import { writeRow } from './prompt-row.js';
import { maxLineLength, RowCollector } from './row-collector.js';

const longBench = {
  input: 'Who?',
  context: 'A\u2028text {input}.',
  answers: ['Ann', 'Bob'],
  length: 3,
  dataset: 'qasper',
  language: 'en',
  all_classes: null,
  _id: 'q1',
};
const jsonl = (...rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');

/** The message of the error that a text is refused with. */
function refusal(text: string): string {
  try {
    parseRows(text, 'rows.jsonl');
  } catch (error) {
    const { code, reason, message } = error as { code: string; reason: string; message: string };
    assert.deepEqual([code, reason], ['INVALID_ARGUMENT', 'invalid-rows']);
    return message;
  }
  return assert.fail('was not refused');
}

test('a LongBench row becomes its filled prompt with answers and classes', () => {
  const [row] = parseRows(jsonl({ ...longBench, dataset: 'trec', all_classes: ['x', 'y'] }), 'rows.jsonl');
  assert.deepEqual(row, {
    id: 'q1',
    dataset: 'trec',
    text: `Please determine the type of the question below. Here are some examples of questions.\n\n${longBench.context}\nWho?`,
    answers: ['Ann', 'Bob'],
    allClasses: ['x', 'y'],
  });
});

test('a RULER row is a whole prompt', () => {
  const row = { index: 7, input: 'Find it.', outputs: ['it'], length: 9 };
  assert.deepEqual(parseRows(jsonl(row), 'r'), [
    { id: '7', dataset: 'ruler', text: 'Find it.', answers: ['it'], allClasses: [] },
  ]);
});

test('a finished prompt needs no answers', () => {
  const row = { group: 'Code', dataset: 'lcc', prompt: 'x = {context}' };
  assert.deepEqual(parseRows(jsonl(row), 'r'), [
    { id: 'r:1', dataset: 'lcc', text: 'x = {context}', answers: [], allClasses: [] },
  ]);
});

test('blank lines, carriage returns and a byte order mark are skipped, and lines still counted', () => {
  const rows = parseRows(
    `\uFEFF\n${JSON.stringify({ ...longBench, _id: undefined })}\r\n  \n${jsonl(longBench)}\n`,
    'f',
  );
  assert.deepEqual(
    rows.map((row) => row.id),
    ['f:2', 'q1'],
  );
});

test('every problem of a file is named with line and field', () => {
  const message = refusal(
    jsonl(
      longBench,
      { ...longBench, _id: 'q2', input: 3, answers: ['a', 4] },
      { ...longBench, _id: true, context: undefined, dataset: 'nosuch' },
      [],
      'text',
      longBench,
      { index: 1.5, input: 'x', outputs: 'y' },
    ) + '\n{"input": "secret',
  );
  assert.deepEqual(message.replace(/known are .*?tiny_summary, trec[^;]*/, 'known are ...').split('; '), [
    'rows.jsonl:2: input: must be a string',
    'rows.jsonl:2: answers: must be a list of strings',
    'rows.jsonl:3: context: is missing',
    'rows.jsonl:3: dataset: "nosuch" has no template, known are ...',
    'rows.jsonl:3: _id: must be a string that is not empty, or a whole number',
    'rows.jsonl:4: row: must be a JSON object',
    'rows.jsonl:5: row: must be a JSON object',
    'rows.jsonl:6: id: "q1" was used on line 1',
    'rows.jsonl:7: index: must be a string that is not empty, or a whole number',
    'rows.jsonl:7: outputs: must be a list of strings',
    'and 1 more',
  ]);
});

test('a line that is not JSON is refused without quoting it', () => {
  assert.equal(refusal('{"input": "secret'), 'rows.jsonl:1: is not JSON');
  assert.equal(refusal('['.repeat(100_000)), 'rows.jsonl:1: is not JSON');
});

test('an empty file and a line over the limit are refused', () => {
  assert.equal(refusal('\n \n'), 'rows.jsonl: holds no rows');
  assert.match(
    refusal(`"${'x'.repeat(maxLineLength)}"`),
    /^rows\.jsonl:1: is 8388610 characters long, the limit is 8388608$/,
  );
});

test('inherited and hostile field names are no fields', () => {
  assert.match(refusal('{"__proto__": {"input": "x"}, "constructor": 1}'), /:1: input: is missing; /);
  assert.match(refusal(jsonl({ ...longBench, dataset: 'constructor' })), /"constructor" has no template/);
});

test('the known datasets are the 21 of LongBench, RULER and the six embedded ones', () => {
  assert.equal(datasetNames.length, 28);
  assert.equal(datasetNamed('tiny_code').maxNewTokens, 16);
  assert.throws(() => datasetNamed('nosuch', 'datasets[0]'), {
    code: 'INVALID_ARGUMENT',
    field: 'datasets[0]',
    reason: 'unknown-dataset',
  });
});

test("this suite's own rows have id, dataset, prompt or text, and answers; written ones are read back", () => {
  const own = { id: 'x1', dataset: 'mine', text: 'Who?', answers: ['Ann'] };
  const rows = parseRows(jsonl(own, { id: 2, dataset: 'mine', prompt: 'Why?', all_classes: ['a'] }), 'r');
  assert.deepEqual(rows, [
    { id: 'x1', dataset: 'mine', text: 'Who?', answers: ['Ann'], allClasses: [] },
    { id: '2', dataset: 'mine', text: 'Why?', answers: [], allClasses: ['a'] },
  ]);
  assert.deepEqual(parseRows(jsonl(...rows.map(writeRow)), 'r'), rows);
  assert.equal(
    refusal(jsonl({ id: 'a', dataset: 'd' }, { id: '', prompt: 1, text: 'x' })),
    [
      'rows.jsonl:1: prompt: is missing',
      'rows.jsonl:2: text: stands beside prompt, give one of them',
      'rows.jsonl:2: id: must be a string that is not empty, or a whole number',
      'rows.jsonl:2: dataset: is missing',
    ].join('; '),
  );
});

test('the problems of all files are told at once, ten in full, and ids count in their file', () => {
  const collector = new RowCollector();
  for (const [file, count] of [
    ['a.jsonl', 7],
    ['b.jsonl', 7],
  ] as const) {
    collector.begin(file);
    collector.add(JSON.stringify(longBench));
    collector.addTooLong(2 ** 30);
    for (let i = 1; i < count; i++) collector.add('{');
    collector.end();
  }
  collector.begin('empty.jsonl');
  collector.end();
  collector.reportFile('gone.jsonl', 'cannot be read (ENOENT)');
  assert.throws(
    () => collector.finish('data'),
    (error: Error & { field?: string }) => {
      const told = error.message.split('; ');
      assert.equal(error.field, 'data');
      assert.equal(told[0], 'a.jsonl:2: is 1073741824 bytes long, the limit is 25165824');
      assert.equal(told[7], 'b.jsonl:2: is 1073741824 bytes long, the limit is 25165824');
      assert.deepEqual(told.slice(9), ['b.jsonl:4: is not JSON', 'and 6 more']);
      return true;
    },
  );
});
