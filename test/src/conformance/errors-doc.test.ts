import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { codeIn, documentAt, tableBelow } from './documents.js';
import { rpcs } from './rpcs.js';
import { projects, sources } from './workspace.js';

const document = documentAt('docs/errors.md');
const texts = projects()
  .filter(({ folder }) => folder !== 'test')
  .flatMap((project) => sources(project))
  .filter(({ isTest }) => !isTest)
  .map(({ path }) => readFileSync(path, 'utf8'));

/** The top-level arguments of every call of `name` in a source text. */
function callsOf(name: string, text: string): string[][] {
  return text
    .split(`${name}(`)
    .slice(1)
    .map((rest) => {
      const found = [''];
      let depth = 0;
      for (const [token] of rest.matchAll(/'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|[\s\S]/g)) {
        if ('([{'.includes(token)) depth++;
        if (')]}'.includes(token) && --depth < 0) break;
        if (token === ',' && depth === 0) found.push('');
        else found[found.length - 1] += token;
      }
      return found.map((argument) => argument.trim());
    });
}

const words = (expression: string): string[] =>
  [...expression.matchAll(/'([a-z][a-z0-9]*(?:-[a-z0-9]+)*)'/g)].map((match) => match[1]!);

/** Functions that make an error of a given reason, and which of their parameters it is. */
const makers = [
  { name: 'A2sfError.invalid', position: 2 },
  ...texts.flatMap((text) =>
    [...text.matchAll(/function (\w+)\(([^)]*\breason\b[^)]*)\): A2sfError/g)].map(([, name, parameters]) => ({
      name: name!,
      position: parameters!.split(',').findIndex((parameter) => /^\s*reason\b/.test(parameter)),
    })),
  ),
];

/** The reasons that a source text gives: behind `reason:`, `reason =` and `reasonKey,`, and to those functions. */
function reasonsIn(text: string): string[] {
  const named = [...text.matchAll(/\b(?:reason\??\s*[:=]|reasonKey,)(?!=)([^;,})]*)/g)].map((match) => match[1]!);
  const passed = makers.flatMap(({ name, position }) => callsOf(name, text).map((given) => given[position] ?? ''));
  return [...named, ...passed].flatMap(words);
}

describe('docs/errors.md', () => {
  const codes = new Set(tableBelow('## Codes', document).map(([code]) => codeIn(code!)[0]!));
  const rows = tableBelow('## Reasons', document);

  test('lists every code that the programs answer with', () => {
    const used = texts
      .flatMap((text) => callsOf('new A2sfError', text))
      .flatMap(([code]) => /^'([A-Z_]+)'/.exec(code!)?.[1] ?? []);
    assert.deepEqual(
      [...new Set(used)].filter((code) => !codes.has(code)),
      [],
    );
  });

  test('lists exactly the reasons that occur in the programs, in order, each with codes of the list', () => {
    const listed = rows.flatMap(([reasons]) => codeIn(reasons!));
    const occurring = new Set(texts.flatMap(reasonsIn));
    const missing = [...occurring].filter((reason) => !listed.includes(reason)).sort();
    const stale = listed.filter((reason) => !occurring.has(reason));
    assert.deepEqual({ missing, stale }, { missing: [], stale: [] });
    assert.deepEqual(listed, [...listed].sort());
    for (const [reason, code] of rows) for (const one of codeIn(code!)) assert.ok(codes.has(one), `${reason}: ${one}`);
  });

  test('has a row for every rpc, with codes of the list', () => {
    const listed = tableBelow('## By rpc', document);
    assert.deepEqual(
      listed.flatMap(([rpc]) => codeIn(rpc!)).sort(),
      rpcs.map(({ service, name }) => `${service}.${name}`).sort(),
    );
    for (const [rpc, ...cells] of listed) {
      const named = cells.flatMap(codeIn).filter((word) => /^[A-Z_]+$/.test(word));
      for (const code of named) assert.ok(codes.has(code), `${rpc}: ${code}`);
    }
  });
});
