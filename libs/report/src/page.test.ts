import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { renderPage } from './page.js';
import { readRun } from './read-run.js';
import { runFiles, writeRun } from './run.fixture.js';

async function pageOf(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = writeRun(files);
  try {
    return renderPage(await readRun(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const scripts = (page: string) => [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((match) => match[1]!);

test('the policy of the page allows the two scripts in it by their hashes, and no request', async () => {
  const page = await pageOf(runFiles());
  const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page)![1]!.replaceAll('&#39;', "'");
  const hashes = scripts(page).map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  assert.equal(hashes.length, 2);
  assert.ok(policy.includes("default-src 'none'"));
  assert.ok(policy.includes(`script-src ${hashes.join(' ')};`));
  const own = page.replaceAll(/<script>[\s\S]*?<\/script>/g, '');
  assert.doesNotMatch(own, /\b(src|href)=|url\(|@import/);
});

test('texts of the run are text in the page, whatever they hold', async () => {
  const hostile = [
    '</script><script>alert(1)</script>',
    '<!--<script>',
    '"><img src=x onerror=alert(1)>',
    '</textarea></title></style>',
    '&lt;b&gt;',
    '\u202Eevil\u0000',
    '__proto__',
    'constructor',
  ];
  const plain = await pageOf(runFiles());
  const tags = (page: string) => page.replaceAll(/<script>[\s\S]*?<\/script>/g, '').match(/<[a-z!/][^>\s]*/gi)!;
  for (const word of hostile) {
    const page = await pageOf(runFiles({ word }));
    assert.deepEqual(tags(page).sort(), tags(plain).sort(), word);
    assert.deepEqual(scripts(page), scripts(plain));
    const data = /id="charts">([\s\S]*?)<\/script>/.exec(page)![1]!;
    assert.ok(JSON.parse(data));
    assert.ok(!data.includes('<'));
  }
});

test('every chart has a heading, a name and a caption; the page has one first heading and a language', async () => {
  const page = await pageOf(runFiles());
  assert.equal(page.match(/<h1>/g)!.length, 1);
  assert.match(page, /<html lang="en">/);
  const ids = [...page.matchAll(/data-chart="([^"]+)"/g)].map((match) => match[1]!);
  assert.deepEqual(ids, [
    'learning-curve',
    'regret',
    'action-map',
    'reward-distribution',
    'calibration',
    'stage-times',
  ]);
  for (const id of ids) assert.match(page, new RegExp(`<h2 id="${id}-title">[^<]+</h2>`));
  assert.equal(page.match(/role="img"\s+aria-label="[^"]{20,}"/g)!.length, ids.length);
});

test('a run that has just begun, and one without evaluations, have a page without these charts', async () => {
  const begun = await pageOf({ 'config.json': {} });
  assert.doesNotMatch(begun, /data-chart="/);
  assert.match(begun, /The run holds no evaluation/);
  const { 'config.json': config, 'progress.jsonl': progress } = runFiles();
  const unevaluated = await pageOf({ 'config.json': config, 'progress.jsonl': progress });
  const ids = [...unevaluated.matchAll(/data-chart="([^"]+)"/g)].map((match) => match[1]!);
  assert.deepEqual(ids, ['learning-curve', 'action-map', 'stage-times']);
});

test('the page of a thousand iterations of 256 episodes and a thousand prompts is below 3 MB', async () => {
  const page = await pageOf(runFiles({ iterations: 1000, prompts: 1000, evaluations: 1000 }));
  assert.ok(Buffer.byteLength(page) < 3_000_000);
});

test('the configuration tells every option, and where its value is from when the run recorded it', async () => {
  const options = { budget: 64, gpus: null, a_values: [0, 10], 'data<': '' };
  const cells = (page: string) =>
    [...page.slice(page.indexOf('<h3>Options')).matchAll(/<t[hd](?: scope="\w+")?>([^<]*)</g)].map((match) => match[1]);
  const bare = ['option', 'value', 'budget', '64', 'gpus', '–', 'a_values', '0 10', 'data&lt;', '–'];
  assert.deepEqual(cells(await pageOf({ 'config.json': { options } })), bare);
  const recorded = await pageOf({ 'config.json': { options, option_sources: { budget: 'environment' } } });
  assert.deepEqual(cells(recorded).slice(0, 6), ['option', 'value', 'from', 'budget', '64', 'environment']);
});

test('the quality of the texts is a table by dataset, of the last evaluation of each checkpoint, metric and budget', async () => {
  const tableOf = (page: string) => {
    const section = /<section aria-labelledby="quality">[\s\S]*?<\/section>/.exec(page)?.[0] ?? '';
    return [...section.matchAll(/<t[hd](?: scope="\w+")?>(?:<bdi>)?([^<]*)</g)].map((match) => match[1]);
  };
  const files = runFiles();
  // prettier-ignore
  assert.deepEqual(tableOf(await pageOf(files)), [
    'dataset', 'prompts', 'policy (greedy)', 'full cache', 'word',
    'word', '2', '50.0', '100.0', '–',
    'all', '2', '50.0', '100.0', '25.0',
  ]);
  const other = { ...files['config.json'], run_id: 'begun anew in the same folder' };
  assert.deepEqual(tableOf(await pageOf({ ...files, 'config.json': other })), []);
});
