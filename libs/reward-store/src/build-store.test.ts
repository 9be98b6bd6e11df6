import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { buildStore } from './build-store.js';
import type { StoreProvenance } from './manifest.js';
import { RewardStore } from './reward-store.js';
import { scoreStore } from './score-store.js';
import { TestPeers, testPrompts, testProvenance, testReward } from './store.fixture.js';
import type { StoredRow } from './store-row.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-store-'));
after(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(root, `${folders++}`);

interface Settings {
  readonly names?: readonly string[];
  readonly provenance?: Partial<StoreProvenance>;
  readonly window?: number;
  readonly count?: number;
}

function build(folder: string, peers: TestPeers, settings: Settings = {}, signal?: AbortSignal) {
  const { names = ['one', 'other', 'log_prob'], provenance = {}, window = 4, count = 9 } = settings;
  const rewards = names.map(testReward);
  const definition = { provenance: { ...testProvenance, ...provenance }, rewards: rewards.map((each) => each.stored) };
  return buildStore({ folder, definition, prompts: testPrompts(count), rewards, peers, window }, signal);
}

async function rowsOf(folder: string): Promise<StoredRow[]> {
  const rows: StoredRow[] = [];
  for await (const row of (await RewardStore.open(folder)).rows()) rows.push(row);
  return rows;
}

const bytesOf = (folder: string, name = 'rows.jsonl') => readFileSync(join(folder, name));

test('a store holds every reward of every action, and its rows are read back as they were computed', async () => {
  const folder = newFolder();
  const peers = new TestPeers();
  const manifest = await build(folder, peers);
  const store = await RewardStore.open(folder);
  assert.deepEqual(store.manifest, manifest);
  assert.deepEqual(store.rewardNames, ['one', 'other', 'log_prob']);
  const prompts = testPrompts(9);
  const kept = prompts.filter(({ text }) => 8 + (text.length % 9) <= testProvenance.budget);
  assert.ok(kept.length > 0);
  assert.deepEqual([store.rowCount, store.keptAllCount, store.hasActions], [9 - kept.length, kept.length, true]);
  const rows = await rowsOf(folder);
  const left = prompts.filter((prompt) => !kept.includes(prompt));
  assert.deepEqual(
    rows.map(({ id, hash }) => [id, hash]),
    left.map(({ id, hash }) => [id, hash]),
  );
  for (const [i, row] of rows.entries()) {
    const { text } = left[i]!;
    const [embedding] = await peers.encode([text]);
    assert.deepEqual([...row.embedding], embedding!.values);
    const sweep = await peers.sweep(peers.sweeps.find((task) => task.text === text)!);
    assert.equal(row.full, sweep.full.text);
    assert.deepEqual(
      row.texts.index.map((index) => row.texts.unique[index]),
      sweep.texts.map((outcome) => outcome.text),
    );
    assert.ok(row.texts.unique.length < 6, 'equal texts stand once');
    for (const name of store.rewardNames) {
      const reward = testReward(name);
      const score = async (outcome: typeof sweep.full) =>
        (await peers.score([reward.task(left[i]!, outcome, sweep.full.text)]))[0];
      assert.deepEqual(row.rewards.get(name), await Promise.all(sweep.texts.map(score)));
      assert.equal(row.fullRewards.get(name), name === 'one' ? 1 : await score(sweep.full));
    }
  }
});

test('the bytes of a store do not depend on how many prompts are in work, and no more are than is allowed', async () => {
  const whole = newFolder();
  await build(whole, new TestPeers());
  for (const window of [1, 2, 9, 50]) {
    const folder = newFolder();
    const peers = new TestPeers();
    await build(folder, peers, { window });
    assert.ok(peers.mostAtWork <= window && (window < 9 || peers.mostAtWork > 1));
    for (const name of ['rows.jsonl', 'manifest.json']) assert.ok(bytesOf(folder, name).equals(bytesOf(whole, name)));
  }
});

test('cut off at any byte, a store is gone on with and ends as if it had never been', async () => {
  const whole = newFolder();
  await build(whole, new TestPeers());
  const rows = bytesOf(whole);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: rows.length }), async (size) => {
      const folder = newFolder();
      const peers = new TestPeers();
      const failing = new TestPeers();
      failing.beforeSweep = () => Promise.reject(new Error('gone'));
      await assert.rejects(build(folder, failing), /gone/);
      await assert.rejects(RewardStore.open(folder), { code: 'FAILED_PRECONDITION', reason: 'store-incomplete' });
      writeFileSync(join(folder, 'rows.jsonl'), rows.subarray(0, size));
      await build(folder, peers);
      assert.ok(bytesOf(folder).equals(rows));
      assert.equal(peers.sweeps.length, 9 - rows.subarray(0, size).toString().split('\n').slice(0, -1).length);
    }),
    { numRuns: 40 },
  );
});

test('a failure keeps the rows before it, and what was asked for and not needed any more is abandoned', async () => {
  const folder = newFolder();
  const peers = new TestPeers();
  peers.beforeSweep = ({ text }) =>
    text.includes('prompt 6') ? Promise.reject(new Error('broke')) : Promise.resolve();
  await assert.rejects(build(folder, peers), /broke/);
  assert.equal(bytesOf(folder).toString().split('\n').length - 1, 6);
  assert.equal(peers.atWork, 0);
  const again = new TestPeers();
  await build(folder, again);
  assert.equal(again.sweeps.length, 3);
});

test('a finished store is asked nothing for, and a stop is obeyed', async () => {
  const folder = newFolder();
  const controller = new AbortController();
  const peers = new TestPeers();
  peers.beforeSweep = ({ text }) => {
    if (text.includes('prompt 5')) controller.abort(new Error('stop'));
    return Promise.resolve();
  };
  await assert.rejects(build(folder, peers, { window: 1 }, controller.signal), /stop/);
  await build(folder, new TestPeers());
  const idle = new TestPeers();
  await build(folder, idle);
  assert.equal(idle.sweeps.length, 0);
});

test('a store is not gone on with from other things, and what differs is told', async () => {
  const folder = newFolder();
  const failing = new TestPeers();
  failing.beforeSweep = () => Promise.reject(new Error('gone'));
  await assert.rejects(build(folder, failing), /gone/);
  const refused = (settings: Settings, message: RegExp) =>
    assert.rejects(build(folder, new TestPeers(), settings), {
      code: 'FAILED_PRECONDITION',
      reason: 'other-provenance',
      message,
    });
  await refused(
    { provenance: { budget: 11, model_id: 'm@2' } },
    /: model_id: "model@1", now "m@2"; budget: 10, now 11$/,
  );
  await refused({ provenance: { data: [{ file: 'a.jsonl', sha256: 'ff' }] } }, /data: .*"ab".*now .*"ff"/);
  await refused({ names: ['one'] }, /rewards: /);
  await refused({ names: ['one', 'other', 'log_prob', 'new'] }, /rewards: .*"new"/);
  await build(folder, new TestPeers());
  await refused({ names: ['new'] }, /a2sf dataset score adds rewards/);
  await build(folder, new TestPeers(), { names: ['one'] });
});

test('rows of other prompts, and an encoder that changed, are refused', async () => {
  const folder = newFolder();
  const peers = new TestPeers();
  peers.encoderId = 'encoder@2';
  await assert.rejects(build(folder, peers), { reason: 'other-encoder', message: /encoder@1 to encoder@2/ });
  await build(folder, new TestPeers());
  const lines = bytesOf(folder).toString().split('\n');
  writeFileSync(join(folder, 'rows.jsonl'), [lines[1], lines[0], ...lines.slice(2)].join('\n'));
  await assert.rejects(build(folder, new TestPeers()), { code: 'DATA_LOSS', message: /^rows\.jsonl:1: / });
});

test('rewards that are scored later are those that are scored at once', async () => {
  const [once, later] = [newFolder(), newFolder()];
  await build(once, new TestPeers(), { names: ['one', 'other', 'third'] });
  await build(later, new TestPeers(), { names: ['one'] });
  const peers = new TestPeers();
  for (const names of [['other'], ['third']]) {
    const scoring = { folder: later, rewards: names.map(testReward), score: peers.score.bind(peers), window: 3 };
    await scoreStore(scoring);
  }
  for (const name of ['rows.jsonl', 'manifest.json'])
    assert.equal(String(bytesOf(later, name)), String(bytesOf(once, name)));
});

test('a scoring that fails leaves the store as it was', async () => {
  const folder = newFolder();
  await build(folder, new TestPeers(), { names: ['one'] });
  const before = [bytesOf(folder), bytesOf(folder, 'manifest.json')];
  const scoring = { folder, rewards: [testReward('other')], window: 3 };
  let calls = 0;
  const score = () => (++calls > 3 ? Promise.reject(new Error('gone')) : new TestPeers().score.bind(new TestPeers()));
  await assert.rejects(scoreStore({ ...scoring, score: score as never }));
  await assert.rejects(scoreStore({ ...scoring, score: () => Promise.resolve([NaN]) }), { reason: 'malformed-answer' });
  const refused = (name: string, reason: string) =>
    assert.rejects(scoreStore({ ...scoring, rewards: [testReward(name)], score: () => Promise.resolve([]) }), {
      code: 'INVALID_ARGUMENT',
      field: 'rewards',
      reason,
    });
  await refused('one', 'reward-stored');
  await refused('log_prob', 'needs-probabilities');
  assert.deepEqual([bytesOf(folder), bytesOf(folder, 'manifest.json')], before);
  await assert.rejects(scoreStore({ ...scoring, folder: newFolder(), score: () => Promise.resolve([]) }), {
    field: 'store',
  });
});

test('without actions the full cache alone is kept', async () => {
  const folder = newFolder();
  const peers = new TestPeers();
  await build(folder, peers, { provenance: { actions: 'none' }, names: ['other'] });
  assert.ok(peers.sweeps.every(({ actions }) => actions.length === 1));
  const store = await RewardStore.open(folder);
  assert.equal(store.hasActions, false);
  for (const row of await rowsOf(folder)) {
    assert.deepEqual([row.texts.unique, row.rewards.get('other')], [[], []]);
    assert.ok(row.fullRewards.get('other')! > 0);
  }
});

test('a store that lost or changed a row is refused when it is read', async () => {
  const folder = newFolder();
  await build(folder, new TestPeers());
  const path = join(folder, 'rows.jsonl');
  const lines = bytesOf(folder).toString().split('\n');
  const reads = async (content: string, message: RegExp) => {
    writeFileSync(path, content);
    await assert.rejects(rowsOf(folder), { code: 'DATA_LOSS', message });
  };
  await reads(lines.slice(1).join('\n'), /holds 8 rows, manifest\.json says 9/);
  const at = lines.findIndex((line) => line.includes('"kept_all":false'));
  const row = JSON.parse(lines[at]!) as { rewards: { one: number[] }; embedding: string; texts: { index: number[] } };
  const changed = (other: object) => lines.with(at, JSON.stringify(other)).join('\n');
  const told = (problem: string) => new RegExp(`^rows\\.jsonl:${at + 1}: ${problem}`);
  const { rewards, texts, embedding } = row;
  await reads(changed({ ...row, rewards: { ...rewards, one: [...rewards.one.slice(1), 2] } }), told('rewards: one'));
  await reads(changed({ ...row, rewards: { ...rewards, one: rewards.one.slice(1) } }), told('rewards: one'));
  await reads(changed({ ...row, embedding: embedding.slice(8) }), told('embedding: must be 5'));
  await reads(changed({ ...row, texts: { ...texts, index: [99, 0, 0, 0, 0, 0] } }), told('texts'));
  await reads(changed([]), told('names no prompt'));
  writeFileSync(path, lines.join('\n'));
  truncateSync(path, bytesOf(folder).length - 5);
  await assert.rejects(rowsOf(folder), { code: 'DATA_LOSS', message: /:9: is no JSON/ });
  writeFileSync(join(folder, 'manifest.json'), '{"format":"a2sf-reward-store","format_version":3}');
  await assert.rejects(RewardStore.open(folder), { reason: 'format-version' });
  writeFileSync(join(folder, 'manifest.json'), '{');
  await assert.rejects(RewardStore.open(folder), { code: 'DATA_LOSS' });
});

test('two builds of one store exclude each other', async () => {
  const folder = newFolder();
  const peers = new TestPeers();
  let second: Promise<unknown> | undefined;
  peers.beforeSweep = async () => {
    second ??= assert.rejects(build(folder, new TestPeers()), { reason: 'run-locked' });
    await second;
  };
  await build(folder, peers);
  assert.ok(second);
});
