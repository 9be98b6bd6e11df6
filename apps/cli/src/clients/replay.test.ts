import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { agentNames } from '@a2sf/bandit';
import { decodeContext, encodeContext, type DecisionLine } from '@a2sf/run-store';
import { contextOf, decide, taughtAgent, writeCheckpoint, writeLog } from '../decision-log.fixture.js';

const command = fileURLToPath(new URL('../../bin/a2sf.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-replay-'));
after(() => rmSync(folder, { recursive: true }));

function replay(...argv: string[]) {
  const options = { encoding: 'utf8', input: '', cwd: folder } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'replay', ...argv], options);
  return { status, stdout, stderr };
}

/** Decisions of two policies, version 1 and 2, all with draws. */
function decisionsOf(name: string, count: number): { readonly lines: DecisionLine[]; readonly files: string[] } {
  const agents = [taughtAgent(name, 1), taughtAgent(name, 3)];
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  const lines = Array.from({ length: count }, (_, i) => {
    const policy_version = i < count / 2 ? 1 : 2;
    const line = {
      id: `d-${i}`,
      policy_version,
      beta: i % 3 === 0 ? 0 : 0.4,
      epsilon: 0.3,
      draw: i,
      key: i % 2 ? 'qasper' : '',
    };
    return decide(agents[policy_version - 1]!, line, contextOf(i));
  });
  return { lines, files: agents.map((agent, i) => writeCheckpoint(own, agent, i + 1)) };
}

for (const name of agentNames()) {
  test(`${name}: logged decisions come out bit for bit from their checkpoints`, () => {
    const { lines, files } = decisionsOf(name, 40);
    const log = writeLog(join(folder, `${name}.jsonl`), [
      ...lines,
      { kind: 'reward', id: 'd-1', action_index: 0, reward: 1 },
    ]);
    assert.deepEqual(replay('--decision_log', log, '--checkpoint', ...files), {
      status: 0,
      stdout: '40 decisions: 40 match, 0 differ, 0 not checked\n',
      stderr: '',
    });
  });
}

const { lines, files } = decisionsOf('neural-ucb', 10);
const given = (name: string, changed: readonly DecisionLine[], ...checkpoints: string[]) => [
  '--decision_log',
  writeLog(join(folder, name), changed),
  '--checkpoint',
  ...checkpoints,
];

/** The next double. */
function nudged(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  return view.getFloat64(0);
}

test('one bit in any number of a decision is a mismatch, named, and exit code 1', () => {
  const line = lines[7]!;
  const context = decodeContext(line);
  context[0]! += 0.25;
  const changes: [string, Partial<DecisionLine>][] = [
    ['action_index', { action_index: (line.action_index + 1) % 4 }],
    ['a', { a: line.a + 1 }],
    ['predicted_reward', { predicted_reward: nudged(line.predicted_reward) }],
    ['uncertainty', { uncertainty: nudged(line.uncertainty!) }],
    ['ucb', { ucb: nudged(line.ucb) }],
    ['lower_bound', { lower_bound: nudged(line.lower_bound!) }],
    ['propensity', { propensity: nudged(line.propensity) }],
    ['context_hash', { context: encodeContext(context) }],
    ['encoder_id', { encoder_id: 'another@1' }],
    ['agent', { agent: 'lin-ucb' }],
  ];
  const changed = changes.map(([field, change]) => ({ ...line, ...change, id: field }));
  const { status, stdout } = replay(...given('changed.jsonl', [line, ...changed], ...files), '--json');
  assert.equal(status, 1);
  const report = JSON.parse(stdout) as {
    matched: number;
    mismatched: number;
    differences: { id: string; field: string }[];
  };
  assert.deepEqual([report.matched, report.mismatched], [1, changes.length]);
  assert.deepEqual(
    report.differences.map(({ field, id }) => ({ field, id })),
    changes.map(([field]) => ({ field, id: field })),
  );
});

test('decisions whose version has no checkpoint are not checked, and one decision can be replayed alone', () => {
  const [first] = files;
  const partly = replay(...given('partly.jsonl', lines, first!));
  const partlyTold = '10 decisions: 5 match, 0 differ, 5 not checked (no checkpoint of version 2)\n';
  assert.deepEqual(partly, { status: 0, stdout: partlyTold, stderr: '' });
  const one = replay(...given('one.jsonl', lines, ...files), '--id', 'd-8');
  assert.equal(one.stdout, '1 decisions: 1 match, 0 differ, 0 not checked\n');
  const wrong = replay(...given('wrong.jsonl', [{ ...lines[8]!, propensity: 0.5 }], ...files));
  assert.equal(wrong.status, 1);
  assert.match(wrong.stdout, /^1 decisions: 0 match, 1 differ, .*\nd-8: propensity is 0\.5 in the log, 0\.\d+ now\n$/);
});

test('what cannot be replayed is one line', () => {
  const cases: [string[], number, RegExp][] = [
    [['--checkpoint', files[0]!], 2, /--decision_log: name the decision log/],
    [['--decision_log', 'x'], 2, /--checkpoint: name at least one/],
    [given('twice.jsonl', lines, files[0]!, files[0]!), 2, /are both of version 1/],
    [[...given('none.jsonl', lines, ...files), '--id', 'd-99'], 1, /--id: the log holds no decision d-99/],
    [['--decision_log', 'absent.jsonl', '--checkpoint', files[0]!], 1, /absent\.jsonl: no such file/],
  ];
  for (const [argv, code, message] of cases) {
    const { status, stdout, stderr } = replay(...argv);
    assert.deepEqual({ argv, status, stdout }, { argv, status: code, stdout: '' });
    assert.match(stderr, message);
  }
});
