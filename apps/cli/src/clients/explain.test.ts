import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PolicyServiceClient } from '@a2sf/contracts';
import { ActionSpace } from '@a2sf/kv-compression';
import { callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { ChildService } from '../child-service.js';
import { contextOf, encoderId, space, taughtAgent, writeCheckpoint } from '../decision-log.fixture.js';

const command = fileURLToPath(new URL('../../bin/a2sf.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-explain-'));
const agent = taughtAgent('neural-ucb', 3);
const checkpoint = writeCheckpoint(folder, agent, 1);
const log = join(folder, 'decisions.jsonl');
const never = new AbortController().signal;
const services: ChildService[] = [];

async function startPolicy(...flags: string[]): Promise<{ readonly service: ChildService; readonly address: string }> {
  const service = new ChildService('policy', ['--checkpoint', checkpoint, ...flags], () => undefined);
  services.push(service);
  return { service, address: await service.address(never) };
}

async function a2sf(...argv: string[]) {
  const child = spawn(process.execPath, [command, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: status as number, stdout, stderr };
}

let policy: Awaited<ReturnType<typeof startPolicy>>;
before(async () => {
  policy = await startPolicy('--decision_log', log, '--epsilon', '0.5');
});
after(async () => {
  await Promise.all(services.map((service) => service.stop()));
  rmSync(folder, { recursive: true });
});

function embeddingFile(seed: number): string {
  const file = join(folder, `embedding-${seed}.json`);
  writeFileSync(file, JSON.stringify({ values: [...contextOf(seed)], encoder_id: encoderId }));
  return file;
}

const explain = (...argv: string[]) => a2sf('explain', '--policy', policy.address, ...argv);

test('every action is shown, best first, with the bound of each and a mark at the one that is chosen', async () => {
  const { status, stdout, stderr } = await explain('--embedding', embeddingFile(3));
  assert.deepEqual([status, stderr], [0, '']);
  const [why, blank, head, ...rows] = stdout.trimEnd().split('\n');
  const [choice] = agent.select([contextOf(3)], 0);
  const { a, b } = space.at(choice!.actionIndex);
  assert.equal(why, `${a},${b} is chosen by neural-ucb, version 1: its predicted reward is the highest`);
  assert.equal(blank, '');
  assert.match(head!, /^ +a +b +predicted +uncertainty +lower bound$/);
  const cells = rows.map((row) => row.replace('*', ' ').trim().split(/ +/).map(Number));
  const predictions = agent.outlook([contextOf(3)], 0)[0]!.predictions;
  assert.deepEqual(
    cells.map((row) => row[2]),
    [...predictions].sort((x, y) => y - x).map((prediction) => Number(prediction.toFixed(4))),
  );
  for (const [, , predicted, uncertainty, bound] of cells) {
    assert.ok(Math.abs(predicted! - Math.sqrt(uncertainty! + 1e-6) - bound!) < 1e-3);
  }
  assert.deepEqual(
    rows.map((row) => row.startsWith('*')),
    [true, false, false, false],
  );
});

test('an embedding may be a bare list, and --json holds the answer of the contract with the reasons', async () => {
  const bare = join(folder, 'bare.json');
  writeFileSync(bare, JSON.stringify([...contextOf(3)]));
  const { stdout } = await explain('--embedding', bare, '--json');
  const answer = JSON.parse(stdout) as {
    candidates: { predicted_reward: number }[];
    why: string[];
    propensity: number;
  };
  const { predictions } = agent.outlook([contextOf(3)], 0)[0]!;
  assert.deepEqual(
    answer.candidates.map(({ predicted_reward }) => predicted_reward),
    [...predictions],
  );
  assert.deepEqual([answer.propensity, answer.why.length], [1, 1]);
});

test('exploration, an empty context and a floor are told as reasons', async () => {
  const chosen = (n: number, beta: number): number => agent.select([contextOf(n)], beta)[0]!.actionIndex;
  const seed = Array.from({ length: 100 }, (_, n) => n).find((n) => chosen(n, 0) !== chosen(n, 1000))!;
  const [greedy, bold] = [chosen(seed, 0), chosen(seed, 1000)];
  const file = embeddingFile(seed);
  const explored = await explain('--embedding', file, '--explore', '--beta', '1000', '--epsilon', '0');
  const { a, b } = space.at(bold);
  const best = space.at(greedy);
  const told = `${a},${b} is chosen by neural-ucb, version 1: exploration: its score is \\S+, ${best.a},${best.b} has the highest`;
  assert.match(explored.stdout, new RegExp(`^${told}`));
  const drawn = await explain('--embedding', file, '--explore', '--epsilon', '1');
  assert.match(drawn.stdout, /^.*, with probability 0\.250/);
  const empty = await explain('--text', '  ');
  assert.match(
    empty.stdout,
    /the context is empty, so that it is the default\nuse the full cache: the context is empty\n/,
  );
  const { address, service } = await startPolicy('--quality_floor', '0.999');
  const floored = await a2sf('explain', '--policy', address, '--embedding', embeddingFile(3));
  assert.match(floored.stdout, /\nuse the full cache: its lower bound -?\d\S* is below the floor 0\.999\n/);
  await service.stop();
});

test('what cannot be explained is one line', async () => {
  const noJson = join(folder, 'no.json');
  writeFileSync(noJson, 'vector');
  const noList = join(folder, 'no-list.json');
  writeFileSync(noList, '{"values": "abc"}');
  const short = join(folder, 'short.json');
  writeFileSync(short, '[1, 2]');
  const cases: [string[], number, RegExp][] = [
    [[], 2, /--text, --embedding: give one of them/],
    [['--text', 'a', '--embedding', short], 2, /--text, --embedding: give one of them/],
    [['--embedding', join(folder, 'absent.json')], 1, /--embedding: cannot read/],
    [['--embedding', noJson], 1, /--embedding: the file is no JSON/],
    [['--embedding', noList], 1, /--embedding: must be a list of numbers/],
    [['--embedding', short], 1, /embedding\.values: has 2 numbers, the policy was made for 6/],
    [['--text', 'a prompt'], 1, /this server has no encoder/],
  ];
  for (const [argv, code, message] of cases) {
    const { status, stdout, stderr } = await explain(...argv);
    assert.deepEqual({ argv, status, stdout }, { argv, status: code, stdout: '' });
    assert.match(stderr, message);
    assert.ok(!stderr.includes('    at '), 'no stack trace');
  }
});

test('what a policy process decided and learned from is replayed bit for bit, and evaluates another policy', async () => {
  const { address, service } = await startPolicy('--decision_log', join(folder, 'process.jsonl'), '--epsilon', '0.6');
  const client = connect(PolicyServiceClient, address);
  const later = join(folder, 'later.safetensors');
  try {
    const embedding = (seed: number) => ({ values: [...contextOf(seed)], encoderId });
    for (const round of [0, 1]) {
      const seeds = Array.from({ length: 60 }, (_, i) => 60 * round + i);
      const requests = seeds.map((seed) => ({ embedding: embedding(seed), explore: seed % 5 > 0, key: 'qasper' }));
      const { responses } = await callUnary(client, 'selectActions', { requests });
      const experiences = responses.map(({ decisionId: id, actionIndex }, i) => {
        return { id, embedding: embedding(seeds[i]!), actionIndex, reward: actionIndex / 4 };
      });
      if (round === 0) await callUnary(client, 'update', { updateId: 'first', experiences });
    }
    const chunks: Buffer[] = [];
    for await (const { data } of callServerStream(client, 'exportCheckpoint', {})) chunks.push(data);
    writeFileSync(later, Buffer.concat(chunks));
  } finally {
    client.close();
    await service.stop();
  }
  const replayed = await a2sf(
    'replay',
    '--decision_log',
    join(folder, 'process.jsonl'),
    '--checkpoint',
    checkpoint,
    later,
  );
  assert.deepEqual(replayed, { status: 0, stdout: '120 decisions: 120 match, 0 differ, 0 not checked\n', stderr: '' });
  const { status, stdout } = await a2sf(
    'evaluate',
    '--off_policy',
    join(folder, 'process.jsonl'),
    '--checkpoint',
    later,
    '--json',
  );
  assert.equal(status, 0);
  const { counts, n } = JSON.parse(stdout) as { counts: Record<string, number>; n: number };
  assert.deepEqual([n, counts['decisions'], counts['without_reward'], counts['before_policy']], [60, 120, 60, 60]);
});

test('with budgets and a floor the reason is the floor, the table has the budgets, and the log is replayed bit for bit', async () => {
  const budgets = new ActionSpace([0, 10], [8, 16], [16, 64]);
  const own = join(folder, 'budgets');
  mkdirSync(own);
  const taught = taughtAgent('neural-ucb', 3, budgets);
  const file = writeCheckpoint(own, taught, 1);
  const decided = join(own, 'decisions.jsonl');
  const boundBeta = 0.01;
  // One whose best action is dear, so that the floor moves the choice.
  const best = (seed: number) => taught.select([contextOf(seed)], 0, { boundBeta })[0]!;
  const seed = Array.from({ length: 100 }, (_, i) => i).find((i) => best(i).actionIndex % 2 === 1)!;
  const context = contextOf(seed);
  for (const qualityFloor of [0, 1]) {
    const flags = [
      '--quality_floor',
      String(qualityFloor),
      '--bound_beta',
      String(boundBeta),
      '--decision_log',
      decided,
    ];
    const service = new ChildService('policy', ['--checkpoint', file, ...flags], () => undefined);
    services.push(service);
    const address = await service.address(never);
    const { status, stdout, stderr } = await a2sf('explain', '--policy', address, '--embedding', embeddingFile(seed));
    await service.stop();
    assert.deepEqual([status, stderr], [0, '']);
    const [choice] = taught.select([context], 0, { boundBeta, qualityFloor });
    const { a, b, budget } = budgets.at(choice!.actionIndex);
    assert.match(stdout, new RegExp(`^${a},${b},${budget} is chosen by neural-ucb, version 1: `));
    assert.match(stdout, /^ +a +b +budget +predicted +uncertainty +lower bound$/m);
    if (qualityFloor === 1) assert.match(stdout, /^use the full cache: its lower bound \S+ is below the floor 1$/m);
    else
      assert.match(
        stdout,
        /: of the smallest budget at which a lower bound reaches the floor \S+, its bound \S+ is the/,
      );
    if (qualityFloor === 0) assert.equal(budget, 16);
  }
  const again = await a2sf('replay', '--decision_log', decided, '--checkpoint', file);
  assert.deepEqual([again.status, again.stdout], [0, '2 decisions: 2 match, 0 differ, 0 not checked\n']);
  const moved = readFileSync(decided, 'utf8').replaceAll('"quality_floor":0,', '"quality_floor":1,');
  writeFileSync(decided, moved);
  const other = await a2sf('replay', '--decision_log', decided, '--checkpoint', file);
  assert.equal(other.status, 1);
});
