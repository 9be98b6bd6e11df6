import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { documentAt, tableBelow } from './documents.js';
import { root } from './workspace.js';

const document = documentAt('docs/faults.md');
const sections = [...document.matchAll(/^## .+$/gm)].map(([heading]) => heading);
const rows = sections.flatMap((heading) => tableBelow(heading, document));
const isUntested = (what: string): boolean => what.startsWith('not tested: ');

/** The titles of a file's tests and suites, as its source has them. */
function titlesIn(path: string): string[] {
  const file = join(root, path);
  if (!existsSync(file)) return [];
  const calls = readFileSync(file, 'utf8').matchAll(/\b(?:test|describe)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g);
  return [...calls].map(([, , title]) => title!.replaceAll(/\\(.)/g, '$1'));
}

describe('docs/faults.md', () => {
  test('names tests that exist, by file and title', () => {
    const named = rows.flatMap(([, , tests = '']) => (tests === '' ? [] : tests.split('<br>')));
    assert.ok(named.length > rows.length);
    const missing = named.filter((entry) => {
      const [, path, title] = /^`([^`]+\.test\.ts)`: (.+)$/.exec(entry) ?? [];
      return path === undefined || !titlesIn(path).includes(title!);
    });
    assert.deepEqual(missing, []);
  });

  test('shows every row by a test or says why there is none, and counts them', () => {
    for (const row of rows) {
      const [wrong = '', what = '', tests = ''] = row;
      assert.equal(row.length, 3, wrong);
      assert.ok(wrong !== '' && what !== '' && (tests !== '' || isUntested(what)), wrong);
    }
    const untested = rows.filter(([, what]) => isUntested(what!)).length;
    const [, all, of] = /\bOf the (\d+) rows, (\d+) (?:is|are) not tested\b/.exec(document) ?? [];
    assert.deepEqual([Number(all), Number(of)], [rows.length, untested]);
  });
});
