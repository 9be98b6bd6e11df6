import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as fc from 'fast-check';
import { DecisionLog, decodeContext, encodeContext, isDecisionId, newDecisionId, readDecisions } from './index.js';
import type { DecisionLine, DecisionLogLine } from './decision-log.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-decisions-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = (): string => join(mkdtempSync(join(folder, `${files++}-`)), 'decisions.jsonl');

function decision(n: number): DecisionLine {
  return {
    kind: 'decision',
    id: `d${n}`,
    time: '2026-01-01T00:00:00.000Z',
    policy_version: n,
    agent: 'neural-ucb',
    encoder_id: 'e',
    context_hash: 'h',
    context: encodeContext(Float32Array.of(n, -0.5)),
    key: '',
    explore: true,
    beta: 1,
    epsilon: 0,
    bound_beta: 1,
    draw: n,
    action_index: 0,
    a: 0,
    b: 8,
    predicted_reward: 0.5,
    ucb: 0.5,
    propensity: 1,
    use_full_cache: false,
  };
}

async function all(path: string): Promise<DecisionLogLine[]> {
  const lines: DecisionLogLine[] = [];
  for await (const line of readDecisions(path)) lines.push(line);
  return lines;
}

interface Opened {
  readonly log: DecisionLog;
  readonly dropped: { lines: number };
}

async function open(
  path: string,
  change: { maxBytes?: number; files?: number; maxWaiting?: number } = {},
): Promise<Opened> {
  const dropped = { lines: 0 };
  const onDropped = (lines: number): void => void (dropped.lines += lines);
  return { log: await DecisionLog.open(path, { maxBytes: 1 << 20, files: 3, onDropped, ...change }), dropped };
}

test('a context comes back exactly, and a decision’s id is known as one', () => {
  fc.assert(
    fc.property(fc.float32Array({ maxLength: 20 }), (context) => {
      assert.deepEqual(decodeContext({ context: encodeContext(context) }), context);
    }),
  );
  assert.throws(() => decodeContext({ context: Buffer.alloc(6).toString('base64') }), RangeError);
  assert.ok(isDecisionId(newDecisionId()));
  for (const id of ['', 'e1', newDecisionId().slice(2), `${newDecisionId()}0`]) assert.ok(!isDecisionId(id));
});

test('lines come back in order, over a restart and with rewards of both kinds', async () => {
  const path = newPath();
  const lines: DecisionLogLine[] = Array.from({ length: 300 }, (_, n) => decision(n));
  lines.push({ kind: 'reward', id: 'd1', action_index: 3, reward: 0.5 }, { kind: 'reward', id: 'd2', rewards: [0, 1] });
  for (const part of [lines.slice(0, 100), lines.slice(100)]) {
    const { log, dropped } = await open(path);
    for (const line of part) log.add(line);
    await log.close();
    await log.close();
    assert.equal(dropped.lines, 0);
  }
  assert.deepEqual(await all(path), lines);
});

test('full files are put aside, the last ones are kept and read from the oldest on', async () => {
  const path = newPath();
  const { log } = await open(path, { maxBytes: 40_000, files: 3, maxWaiting: 10_000 });
  for (let n = 0; n < 2000; n++) log.add(decision(n));
  await log.close();
  const names = readdirSync(join(path, '..'));
  assert.deepEqual(names.sort(), ['decisions.jsonl', 'decisions.jsonl.1', 'decisions.jsonl.2']);
  for (const name of names) assert.ok(statSync(join(path, '..', name)).size < 40_000 + 64 * 1000, name);
  const versions = (await all(path)).map((line) => (line as DecisionLine).policy_version);
  assert.equal(versions.at(-1), 1999);
  assert.deepEqual(
    versions,
    Array.from({ length: versions.length }, (_, i) => 2000 - versions.length + i),
  );
  assert.ok(versions.length < 2000 && versions.length > 100);
  const { log: alone } = await open(newPath(), { maxBytes: 4096, files: 1 });
  for (let n = 0; n < 200; n++) alone.add(decision(n));
  await alone.close();
});

test('lines over the room, on a closed log, or that JSON cannot hold are dropped and told, never thrown', async () => {
  const path = newPath();
  const { log, dropped } = await open(path, { maxWaiting: 10 });
  for (let n = 0; n < 30; n++) log.add(decision(n));
  assert.ok(dropped.lines > 0);
  await log.close();
  const kept = (await all(path)).length;
  assert.equal(kept + dropped.lines, 30);
  log.add(decision(99));
  assert.equal(kept + dropped.lines, 31);
  const broken = await open(newPath());
  broken.log.add({ ...decision(1), ucb: NaN });
  await broken.log.close();
  assert.equal(broken.dropped.lines, 1);
});

test('a file that is taken away is begun anew, and one that cannot be written costs the lines of that time', async () => {
  const path = newPath();
  const { log, dropped } = await open(path);
  rmSync(path);
  log.add(decision(1));
  await log.close();
  assert.deepEqual([await all(path), dropped.lines], [[decision(1)], 0]);
  const lost = newPath();
  const gone = await open(lost);
  rmSync(join(lost, '..'), { recursive: true });
  gone.log.add(decision(1));
  await gone.log.close();
  assert.equal(gone.dropped.lines, 1);
});

test('a torn last line is passed over; a damaged one and a missing file are named', async () => {
  const path = newPath();
  writeFileSync(path, `${JSON.stringify(decision(1))}\n{"kind":"dec`);
  assert.deepEqual(await all(path), [decision(1)]);
  for (const bad of [
    '{',
    '{}',
    '[]',
    'null',
    '{"kind":"reward","id":"x"}',
    JSON.stringify({ ...decision(2), draw: '1' }),
  ]) {
    const damaged = newPath();
    writeFileSync(damaged, `${JSON.stringify(decision(1))}\n`);
    appendFileSync(damaged, `${bad}\n`);
    await assert.rejects(all(damaged), {
      code: 'DATA_LOSS',
      reason: 'damaged-decision-log',
      message: 'decisions.jsonl: line 2 is no line of a decision log',
    });
  }
  await assert.rejects(all(newPath()), { code: 'NOT_FOUND' });
});
