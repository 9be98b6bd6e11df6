import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { boolean, integer, listOf, number, option, resolveOptions, text, usageError } from '@a2sf/config';
import { haystackOf, minNeedleLength, needleRows, writeRow } from '@a2sf/datasets';
import { A2sfError } from '@a2sf/errors';
import { writeFileAtomically } from '@a2sf/run-store';
import { jsonLines } from './json-lines.js';

const grid = 'Grid';
const textGroup = 'Text';

const options = {
  lengths: option({
    schema: listOf(integer({ min: minNeedleLength, max: 4_194_304 }), { min: 1, max: 1000 }),
    list: true,
    description: 'lengths of the prompts in characters, about four a token of English; a prompt is never longer',
    group: grid,
    default: [4096, 8192],
  }),
  depths: option({
    schema: listOf(number({ min: 0, max: 1 }), { min: 1, max: 1000 }),
    list: true,
    description: 'where the needle stands: 0 is the beginning of the haystack, 1 its end',
    default: [0, 0.25, 0.5, 0.75, 1],
    group: grid,
  }),
  perCell: option({
    schema: integer({ min: 1, max: 100_000 }),
    description: 'prompts per length and depth',
    default: 1,
    group: grid,
  }),
  seed: option({ schema: integer({ min: 0 }), description: 'seed of texts and numbers', default: 0, group: grid }),
  haystack: option({
    schema: listOf(text(), { min: 1, max: 1000 }),
    list: true,
    description: 'text files whose sentences hide the needle (default: built-in sentences)',
    group: textGroup,
  }),
  distractors: option({
    schema: integer({ min: 0, max: 99 }),
    description: 'needles of other names that are hidden too',
    default: 0,
    group: textGroup,
  }),
  output: option({ schema: text(), description: 'the .jsonl file to write' }),
  overwrite: option({ schema: boolean, description: 'replace the file when there is one', default: false }),
};

/** `a2sf dataset needle`: a needle-in-a-haystack set. */
export async function needle(argv: readonly string[]): Promise<void> {
  const command = {
    name: 'a2sf dataset needle',
    description:
      'Writes prompts that hide a number in a text and ask for it at the end, over a grid of lengths and depths. The same flags write the same bytes.',
  };
  const { values } = resolveOptions(command, options, argv.map(commasAsBlanks).flat());
  const { lengths, depths, perCell, seed, distractors, output, overwrite } = values;
  if (output === undefined) throw usageError(['--output: name the .jsonl file to write']);
  if (!overwrite && existsSync(output)) {
    const message = `output: ${output} is there already; name another file, or replace it with --overwrite`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'output' });
  }
  const texts = values.haystack === undefined ? undefined : await Promise.all(values.haystack.map(textOf));
  const haystack = texts === undefined ? {} : { haystack: haystackOf(texts) };
  const rows = needleRows({ lengths, depths, perCell, seed, distractors, ...haystack });
  await writeFileAtomically(
    output,
    jsonLines(rows.map((row) => ({ ...writeRow(row), length: row.length, depth: row.depth }))),
  );
  process.stdout.write(`${output}: ${rows.length} prompts of ${lengths.length} lengths x ${depths.length} depths\n`);
}

/** Lists may be written with commas: `--lengths 1024,2048`. */
function commasAsBlanks(word: string): string[] {
  return /^[\d.]+(?:,[\d.]+)+$/.test(word) ? word.split(',') : [word];
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new A2sfError('INVALID_ARGUMENT', `haystack: cannot read ${path}`, { field: 'haystack', cause });
  });
}
