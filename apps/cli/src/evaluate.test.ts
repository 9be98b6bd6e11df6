import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DecisionLine, DecisionLogLine, RewardLine } from '@a2sf/run-store';
import { contextOf, decide, space, taughtAgent, writeCheckpoint, writeLog } from './decision-log.fixture.js';

const command = fileURLToPath(new URL('../bin/a2sf.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-evaluate-'));
after(() => rmSync(folder, { recursive: true }));

function evaluate(...argv: string[]) {
  const options = { encoding: 'utf8', input: '', cwd: folder } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'evaluate', ...argv], options);
  return { status, stdout, stderr };
}

interface Report {
  readonly n: number;
  readonly effective_sample_size: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
  readonly estimates: readonly {
    name: string;
    value: number;
    low: number;
    high: number;
    n: number;
    clipping_bias: number;
  }[];
}

/** Rewards of all actions in a context: what an action earns depends on one component. */
const rewardsOf = (context: Float32Array): number[] =>
  Array.from({ length: space.size }, (_, a) => 0.5 + 0.4 * Math.tanh(context[a]!));

const logger = taughtAgent('neural-ucb', 1);
const target = taughtAgent('neural-ucb', 6);
const checkpoint = writeCheckpoint(folder, target, 1);
const contexts = Array.from({ length: 300 }, (_, i) => contextOf(i));
const decisions = contexts.map((context, draw) => {
  const line = { id: `d-${draw}`, policy_version: 2, beta: 0.2, epsilon: 0.8, draw, key: '' };
  return decide(logger, line, context);
});
const rewards = decisions.map(({ id, action_index }, i): RewardLine => {
  const all = rewardsOf(contexts[i]!);
  return i < 100
    ? { kind: 'reward', id, rewards: all }
    : { kind: 'reward', id, action_index, reward: all[action_index]! };
});
const log = writeLog(join(folder, 'log.jsonl'), [...decisions, ...rewards]);

function report(file: string, ...argv: string[]): Report {
  const { status, stdout, stderr } = evaluate('--off_policy', file, '--checkpoint', checkpoint, '--json', ...argv);
  assert.deepEqual([status, stderr], [0, '']);
  return JSON.parse(stdout) as Report;
}

test('the estimates are those of the target’s choices, and hold its true mean reward', () => {
  const greedy = target.select(contexts, 0);
  const found = report(log);
  const value = (name: string) => found.estimates.find((estimate) => estimate.name === name)!;
  let [ips, weights, squares] = [0, 0, 0];
  for (const [i, { action_index, propensity }] of decisions.entries()) {
    const weight = greedy[i]!.actionIndex === action_index ? 1 / propensity : 0;
    ips += weight * rewardsOf(contexts[i]!)[action_index]!;
    weights += weight;
    squares += weight ** 2;
  }
  const truths = contexts.map((context, i) => rewardsOf(context)[greedy[i]!.actionIndex]!);
  const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, ${expected}`);
  near(value('ips').value, ips / 300);
  near(value('snips').value, ips / weights);
  near(found.effective_sample_size, weights ** 2 / squares);
  near(value('exact').value, mean(truths.slice(0, 100)));
  assert.deepEqual([value('exact').n, value('ips').n, found.n], [100, 300, 300]);
  for (const name of ['ips', 'snips', 'dr']) {
    const { low, high } = value(name);
    assert.ok(low <= mean(truths) && mean(truths) <= high, `${name}: ${low} .. ${high} for ${mean(truths)}`);
  }
  assert.deepEqual(found.warnings, []);
});

test('a target that draws uniformly has the weights 1 / (A p)', () => {
  const found = report(log, '--epsilon', '1');
  const ips = decisions.map(({ action_index, propensity }, i) => {
    return rewardsOf(contexts[i]!)[action_index]! / (space.size * propensity);
  });
  const { value } = found.estimates.find(({ name }) => name === 'ips')!;
  assert.ok(Math.abs(value - ips.reduce((sum, x) => sum + x, 0) / 300) < 1e-9);
});

test('a table tells the estimates, warnings go to stderr, and the bias of clipping is a column', () => {
  const { status, stdout, stderr } = evaluate('--off_policy', log, '--checkpoint', checkpoint, '--clip', '2');
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^neural-ucb of iteration 1, version 1, beta 0, epsilon 0\n300 of 300 decisions\n/);
  assert.match(stdout, /^estimator +value +low +high +ess +n +bias at most$/m);
  for (const name of ['logged', 'ips', 'snips', 'dr', 'exact'])
    assert.match(stdout, new RegExp(`^${name} +\\d\\.\\d{4} `, 'm'));
  assert.match(stdout, /^weights: mean \S+ \(expected: 1\), largest \S+; \d+ of 300 clipped to 2$/m);
  const older = decisions.slice(0, 9).map((line) => ({ ...line, policy_version: 0 }));
  const few = writeLog(join(folder, 'few.jsonl'), [...older, ...rewards.slice(0, 9)]);
  const told = evaluate('--off_policy', few, '--checkpoint', checkpoint);
  assert.match(told.stderr, /^a2sf: .*effective sample size/m);
  assert.match(told.stderr, /^a2sf: 9 of 9 decisions were made by earlier versions/m);
});

test('what tells nothing of the policy is left out and counted', () => {
  const change = (i: number, fields: Partial<DecisionLine>): DecisionLine => ({ ...decisions[i]!, ...fields });
  const lines: DecisionLogLine[] = [
    ...decisions.slice(10, 60),
    change(0, { encoder_id: 'another@1' }),
    change(1, { context: decisions[1]!.context.slice(0, 16) }),
    change(2, { a: 5 }),
    change(3, { use_full_cache: true }),
    change(110, {}),
    change(5, {}),
    change(6, {}),
    change(6, {}), // the reward of an id counts once
    ...[0, 1, 2, 3].map((i) => rewards[i]!),
    { kind: 'reward', id: 'd-110', action_index: (decisions[110]!.action_index + 1) % 4, reward: 1 },
    rewards[6]!,
    { kind: 'reward', id: 'elsewhere', action_index: 0, reward: 1 },
    ...rewards.slice(10, 60),
  ];
  const mixed = writeLog(join(folder, 'mixed.jsonl'), lines);
  assert.deepEqual(report(mixed).counts, {
    decisions: 58,
    evaluated: 51,
    without_reward: 2,
    other_encoder: 2,
    other_action_space: 1,
    full_cache: 1,
    other_action: 1,
    rewards_without_decision: 1,
    before_policy: 0,
  });
});

test('what cannot be evaluated is one line', () => {
  const bad = (name: string, fields: Partial<DecisionLine>) =>
    writeLog(join(folder, name), [{ ...decisions[0]!, ...fields }, rewards[0]!]);
  const given = (file: string, ...more: string[]) => ['--off_policy', file, '--checkpoint', checkpoint, ...more];
  const cases: [string[], number, RegExp][] = [
    [['--checkpoint', checkpoint, '--beta', '1'], 2, /--beta: only with --off_policy/],
    [given(log, '--budget', '8', '--metric', 'rouge_l'), 2, /--metric, --budget: not with --off_policy/],
    [['--off_policy', log], 2, /--checkpoint: name the policy/],
    [given('none.jsonl'), 1, /none\.jsonl: no such file/],
    [['--off_policy', log, '--checkpoint', 'none.safetensors'], 1, /none\.safetensors cannot be read \(ENOENT\)/],
    [given(bad('zero.jsonl', { propensity: 0 })), 1, /decision d-0\.propensity: must be in \(0, 1\].*got 0/],
    [given(bad('other.jsonl', { encoder_id: 'x' })), 1, /no decision can be evaluated: 0 of 1 .*1 of another encoder/],
    [given(bad('empty.jsonl', { id: 'd-x' })), 1, /no decision can be evaluated.*1 without a reward/],
    [given(log, '--max_rewards', '10'), 1, /more than 10 rewards \(--max_rewards\)/],
  ];
  for (const [argv, code, message] of cases) {
    const { status, stdout, stderr } = evaluate(...argv);
    assert.deepEqual({ argv, status, stdout }, { argv, status: code, stdout: '' });
    assert.match(stderr, message);
    assert.ok(!stderr.includes('    at '), 'no stack trace');
  }
});
