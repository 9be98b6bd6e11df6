import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { documentAt, documents, prose, tableBelow } from './documents.js';
import { rpcs } from './rpcs.js';
import { root } from './workspace.js';

const all = documents();

/** The targets of a document's links and images; code is left out. */
function linksIn(text: string): string[] {
  const plain = prose(text).replaceAll(/`[^`\n]*`/g, '`');
  return [...plain.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
}

/** The anchors of a document's headings, as GitHub makes them. */
function anchorsOf(text: string): Set<string> {
  const headings = [...prose(text).matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('every relative link of a document leads to a file, and to a heading where it names one', () => {
  const broken: string[] = [];
  let seen = 0;
  for (const { path, text } of all) {
    for (const link of linksIn(text).filter((target) => !/^[a-z]+:/.test(target))) {
      seen++;
      const [target = '', anchor] = link.split('#');
      const file = target === '' ? join(root, path) : join(root, dirname(path), target);
      if (!existsSync(file) || relative(root, file).startsWith('..')) broken.push(`${path}: ${link}`);
      else if (anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).has(anchor))
        broken.push(`${path}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(seen > 0);
});

test('every document but the README is reached from it', () => {
  const reached = new Set(['README.md']);
  for (const path of reached) {
    const text = all.find((document) => document.path === path)?.text ?? '';
    for (const link of linksIn(text)) {
      const target = join(dirname(path), link.split('#')[0]!);
      for (const document of all) {
        if (document.path === target || dirname(document.path) === target) reached.add(document.path);
      }
    }
  }
  assert.deepEqual(
    all.map(({ path }) => path).filter((path) => !reached.has(path)),
    [],
  );
});

test('every rpc that a document names by its path exists', () => {
  const known = new Set(rpcs.map(({ path }) => path));
  const named = all.flatMap(({ path, text }) =>
    [...text.matchAll(/a2sf\.\w+\.v1\.\w+Service[/.]\w+/g)].map(([rpc]) => ({
      path,
      rpc: rpc.replace(/\.(?=\w+$)/, '/'),
    })),
  );
  assert.deepEqual(
    named.filter(({ rpc }) => !known.has(rpc)),
    [],
  );
  assert.ok(named.length > 0);
});

test('every word of the glossary tells the file it lives in', () => {
  const rows = tableBelow('# Glossary', documentAt('docs/glossary.md'));
  assert.ok(rows.length > 0);
  for (const [word, , where] of rows) assert.equal(linksIn(where ?? '').length, 1, word);
});
