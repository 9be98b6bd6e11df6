import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NeuralUcb } from '@a2sf/bandit';
import { Random } from '@a2sf/random';
import { resolveOptions } from '@a2sf/config';
import {
  EncoderServiceClient,
  PolicyServiceClient,
  type Embedding,
  type EncoderServiceHandlers,
  type Experience,
  type PolicyServiceStub,
  type UpdateRequest,
} from '@a2sf/contracts';
import {
  callClientStream,
  callServerStream,
  callUnary,
  connect,
  serve,
  service,
  serverOptions,
  waitUntilServing,
  type RunningServer,
} from '@a2sf/grpc-runtime';
import { ActionSpace } from '@a2sf/kv-compression';
import { createLogger, Metrics } from '@a2sf/observability';
import { decodePolicyCheckpoint } from '@a2sf/run-store';
import { options } from './options.js';
import { givenNumbers, startPolicy } from './start.js';
import { testBytes, testContext, testDimension, testEncoderId, testSpace } from './policy.fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-policy-'));
const checkpointFile = join(folder, 'policy_0.safetensors');
const log = createLogger({ name: 'test', level: 'silent' });
const servers: RunningServer[] = [];
const clients: PolicyServiceStub[] = [];

async function start(...argv: string[]): Promise<{ client: PolicyServiceStub; server: RunningServer }> {
  const ports = ['--port', '0', '--http_port', '0'];
  const resolution = resolveOptions({ name: 'test', description: '' }, options, [...ports, ...argv], {});
  const given = givenNumbers(resolution);
  const onLost = (error: Error): void => assert.fail(error);
  const server = await startPolicy({ values: resolution.values, given, log, onLost, process: false });
  servers.push(server);
  const client = connect(PolicyServiceClient, `127.0.0.1:${server.port}`);
  clients.push(client);
  return { client, server };
}

/** An encoder whose vectors follow from the length of the text. */
async function startEncoder(encoderId: string): Promise<string> {
  const embed = (text: string): Embedding => ({
    values: [...testContext(text.length)],
    tokens: text.length,
    empty: text.trim() === '',
    encoderId,
  });
  const { values } = resolveOptions({ name: 'test', description: '' }, serverOptions, [], {});
  const server = await serve({
    name: 'encoder',
    service: service<EncoderServiceHandlers>(EncoderServiceClient.service, {
      Encode: async ({ inputs }) => ({ embeddings: inputs.map(({ text }) => embed(text ?? '')) }),
      GetInfo: async () => ({ encoderId, dimension: testDimension }),
    }),
    options: values,
    metrics: new Metrics({ processMetrics: false }),
    log,
    process: false,
  });
  server.setReady(true);
  servers.push(server);
  return `127.0.0.1:${server.port}`;
}

const embedding = (seed: number, change: Embedding = {}): Embedding => ({
  values: [...testContext(seed)],
  tokens: 3,
  encoderId: testEncoderId,
  ...change,
});

const experience = (id: string, change: Experience = {}): Experience => ({
  id,
  embedding: embedding(id.length),
  actionIndex: 1,
  reward: 0.5,
  ...change,
});

async function exported(client: PolicyServiceStub, request: { iteration?: number } = {}): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const { data } of callServerStream(client, 'exportCheckpoint', request)) {
    assert.ok(data.byteLength <= 1 << 20);
    chunks.push(data);
  }
  return Buffer.concat(chunks);
}

function upload(client: PolicyServiceStub, bytes: Uint8Array, chunk = 1000) {
  const count = Math.ceil(bytes.length / chunk);
  const chunks = Array.from({ length: count }, (_, i) => ({ data: bytes.subarray(i * chunk, (i + 1) * chunk) }));
  return callClientStream(client, 'importCheckpoint', chunks);
}

async function metricsOf({ httpPort }: RunningServer): Promise<string> {
  return (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
}

function hashOf(context: Float32Array): string {
  return createHash('sha256').update(Buffer.from(context.buffer)).digest('hex').slice(0, 32);
}

let encoder = '';
before(async () => {
  writeFileSync(checkpointFile, testBytes());
  encoder = await startEncoder(testEncoderId);
});
after(async () => {
  for (const client of clients) client.close();
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true });
});

test('without a checkpoint the server is ready, describes itself, and refuses the rest until one is imported', async () => {
  const { client, server } = await start('--lr', '0.25');
  await waitUntilServing(`127.0.0.1:${server.port}`, { timeoutMs: 10_000 });
  const info = await callUnary(client, 'getInfo', {});
  assert.deepEqual([info.aValues, info.embeddingDimension, info.policyVersion, info.role], [[], 0, '0', 'learner']);
  assert.equal(info.hyperParameters?.lr, 0.25);
  const refusal = { code: 'FAILED_PRECONDITION', reason: 'no-checkpoint' };
  await assert.rejects(callUnary(client, 'selectAction', { embedding: embedding(1) }), refusal);
  await assert.rejects(callUnary(client, 'selectAction', { text: '  ' }), refusal);
  await assert.rejects(callUnary(client, 'update', { updateId: 'u', experiences: [experience('x')] }), refusal);
  await assert.rejects(exported(client), refusal);
  assert.deepEqual(await upload(client, testBytes()), { policyVersion: '1', iteration: 0 });
  const after = await callUnary(client, 'getInfo', {});
  assert.deepEqual(
    { ...after, hyperParameters: { ...after.hyperParameters } },
    {
      aValues: testSpace.aValues,
      bValues: testSpace.bValues,
      budgets: [],
      embeddingDimension: testDimension,
      hyperParameters: { lr: 0.25, ucbBeta: 0.5, uncertaintyCoef: 0.1, maxGradNorm: 1, hidden: 12, stepsPerUpdate: 1 },
      policyVersion: '1',
      role: 'learner',
      iteration: 0,
      encoderId: testEncoderId,
      agent: 'neural-ucb',
      lagSeconds: 0,
      challengerVersion: '0',
    },
  );
});

test('a batch is answered as its requests one by one, with the agent’s own numbers', async () => {
  const { client } = await start('--checkpoint', checkpointFile);
  const agent = NeuralUcb.initial({ space: testSpace, dimension: testDimension, hidden: 12, seed: 3 });
  const requests = [1, 2, 3].map((seed) => ({
    embedding: embedding(seed),
    explore: seed > 1,
    ...(seed > 2 ? { beta: 2 } : {}),
  }));
  const { responses } = await callUnary(client, 'selectActions', { requests });
  const contexts = [1, 2, 3].map(testContext);
  for (const [i, choice] of agent.select(contexts, [0, 0.5, 2]).entries()) {
    assert.deepEqual(await callUnary(client, 'selectAction', requests[i]!), responses[i]);
    const response = responses[i]!;
    const { actionIndex, predictedReward, uncertainty, ucb, propensity, action, policyVersion, useFullCache } =
      response;
    const told = { actionIndex, prediction: predictedReward, ucb, propensity };
    const { lowerBound, uncertainty: known, ...rest } = choice;
    assert.deepEqual(told, rest);
    assert.deepEqual([uncertainty, response.lowerBound], i > 0 ? [known, lowerBound] : [0, undefined]);
    assert.equal(response.contextHash, hashOf(contexts[i]!));
    assert.deepEqual([response.decisionId, response.candidates], ['', []]);
    assert.equal(response.fullCacheReason, 'FULL_CACHE_REASON_UNSPECIFIED');
    assert.deepEqual({ ...action }, testSpace.at(actionIndex));
    assert.deepEqual([policyVersion, useFullCache], ['1', false]);
  }
});

test('a text is embedded by the encoder; without one it is refused, a blank one answered all the same', async () => {
  const { client } = await start('--checkpoint', checkpointFile, '--encoder', encoder);
  const bare = (await start('--checkpoint', checkpointFile)).client;
  const byText = await callUnary(client, 'selectAction', { text: 'four' });
  assert.deepEqual(byText, await callUnary(client, 'selectAction', { embedding: embedding(4) }));
  const mixed = [{ text: 'four' }, { text: ' \n' }, { embedding: embedding(4) }, { text: 'four' }];
  const { responses } = await callUnary(client, 'selectActions', { requests: mixed });
  assert.deepEqual([responses[0], responses[2], responses[3]], [byText, byText, byText]);
  assert.equal(responses[1]!.useFullCache, true);
  assert.deepEqual({ ...responses[1]!.action }, { a: 10, b: 16 });
  await assert.rejects(callUnary(bare, 'selectAction', { text: 'four' }), {
    code: 'FAILED_PRECONDITION',
    reason: 'no-encoder',
  });
  assert.deepEqual(await callUnary(bare, 'selectAction', { text: '' }), responses[1]);
  const empty = { embedding: embedding(1, { values: [0], empty: true }) };
  assert.deepEqual(await callUnary(bare, 'selectAction', empty), responses[1]);
});

test('an encoder that the policy was not trained on, or that is gone, is named', async () => {
  const other = await startEncoder('other@2');
  const { client } = await start('--checkpoint', checkpointFile, '--encoder', other);
  await assert.rejects(callUnary(client, 'selectAction', { text: 'four' }), {
    code: 'FAILED_PRECONDITION',
    message: /"other@2".*"test-encoder@1"/,
  });
  await servers.at(-2)!.stop();
  await assert.rejects(callUnary(client, 'selectAction', { text: 'four' }), { code: 'UNAVAILABLE' });
});

test('every bad field is INVALID_ARGUMENT by its name, refuses its whole batch and changes nothing', async () => {
  const { client, server } = await start('--checkpoint', checkpointFile, '--max_batch', '3');
  const bytes = await exported(client);
  const values = (value: number) => ({ embedding: embedding(1, { values: [0, 0, value, 0, 0, 0] }) });
  const selects: [object, string][] = [
    [{}, 'context'],
    [{ explore: true }, 'context'],
    ...[NaN, Infinity, -Infinity, 1e38].map((value): [object, string] => [values(value), 'embedding.values[2]']),
    [{ embedding: embedding(1), beta: NaN }, 'beta'],
    [{ embedding: embedding(1), beta: -1 }, 'beta'],
    ...[NaN, -0.1, 1.1].map((epsilon): [object, string] => [{ embedding: embedding(1), epsilon }, 'epsilon']),
    [{ embedding: embedding(1), key: 'k'.repeat(129) }, 'key'],
    [{ embedding: embedding(1, { values: Array.from({ length: 65_537 }, () => 0) }) }, 'embedding.values'],
  ];
  for (const [request, field] of selects) {
    await assert.rejects(callUnary(client, 'selectAction', request), { code: 'INVALID_ARGUMENT', field });
    const requests = [{ embedding: embedding(1) }, request];
    await assert.rejects(callUnary(client, 'selectActions', { requests }), { field: `requests[1].${field}` });
  }
  const four = [1, 2, 3, 4].map((seed) => ({ embedding: embedding(seed) }));
  await assert.rejects(callUnary(client, 'selectActions', { requests: four }), {
    field: 'requests',
    message: /1\.\.3/,
  });
  await assert.rejects(callUnary(client, 'selectActions', {}), { code: 'INVALID_ARGUMENT', field: 'requests' });

  const x = experience('x');
  const wrong = (change: Experience, field: string): [UpdateRequest, string] => [
    { updateId: 'u', experiences: [x, experience('y', change)] },
    `experiences[1].${field}`,
  ];
  const updates: [UpdateRequest, string][] = [
    [{ experiences: [x] }, 'update_id'],
    [{ updateId: 'u'.repeat(129), experiences: [x] }, 'update_id'],
    [{ updateId: 'u' }, 'experiences'],
    [{ updateId: 'u', experiences: ['a', 'b', 'c', 'd'].map((id) => experience(id)) }, 'experiences'],
    ...[NaN, Infinity, -0.01, 1.01].map((reward) => wrong({ reward }, 'reward')),
    wrong({ id: 'x' }, 'id'),
    wrong({ id: '' }, 'id'),
    wrong({ embedding: null }, 'embedding'),
    wrong(values(NaN), 'embedding.values[2]'),
    wrong({ actionIndex: 4 }, 'action_index'),
    wrong({ key: 'k'.repeat(129) }, 'key'),
    wrong({ rewards: [0, 1, 0, 1] }, 'rewards'),
    ...[NaN, Infinity, -0.01, 1.01].map((bad) => wrong({ rewards: [0, bad, 0, 1] }, 'rewards[1]')),
    [{ updateId: 'u', experiences: [experience('x', { rewards: [0, 1, 0] })] }, 'experiences[0].rewards'],
    [{ updateId: 'u', experiences: [experience('x', { rewards: [0, 1, 0, 1, 0] })] }, 'experiences[0].rewards'],
  ];
  for (const [request, field] of updates) {
    await assert.rejects(callUnary(client, 'update', request), { code: 'INVALID_ARGUMENT', field });
  }
  const short = { updateId: 'u', experiences: [x, experience('y', { embedding: { values: [1] } })] };
  await assert.rejects(callUnary(client, 'update', short), { code: 'FAILED_PRECONDITION' });
  assert.deepEqual(await exported(client), bytes);
  const rejected = updates.reduce((sum, [{ experiences }]) => sum + (experiences?.length ?? 0), 2);
  assert.match(await metricsOf(server), new RegExp(`^a2sf_policy_rewards_rejected_total ${rejected}$`, 'm'));
});

test('an update sent twice, or by many at once, is applied once and answered the same', async () => {
  const { client, server } = await start('--checkpoint', checkpointFile);
  const request = { updateId: 'u', experiences: [experience('x'), experience('yy', { reward: 1 })] };
  const answers = await Promise.all(Array.from({ length: 8 }, () => callUnary(client, 'update', request)));
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  assert.equal(answers[0]!.policyVersion, '2');
  assert.ok(answers[0]!.predictionLoss > 0 && answers[0]!.gradientNorm > 0);
  const changed = { updateId: 'u', experiences: [experience('x')] };
  await assert.rejects(callUnary(client, 'update', changed), { code: 'INVALID_ARGUMENT', field: 'update_id' });
  const next = await callUnary(client, 'update', { updateId: 'v', experiences: [experience('x'), experience('z')] });
  assert.deepEqual([next.skipped, next.policyVersion], [1, '3']);
  await callUnary(client, 'selectAction', { embedding: embedding(1) });
  const text = await metricsOf(server);
  assert.match(text, /^a2sf_policy_updates_total 2$/m);
  assert.match(text, /^a2sf_policy_version 3$/m);
  assert.equal(text.match(/^a2sf_policy_actions_total\{.*\} \d+$/gm)?.length, 4);
  assert.equal(text.match(/^a2sf_policy_actions_total\{.*\} 1$/gm)?.length, 1);
});

test('a policy exported, imported elsewhere and exported again keeps its bytes', async () => {
  const first = (await start('--checkpoint', checkpointFile)).client;
  await callUnary(first, 'update', { updateId: 'u', experiences: [experience('x')] });
  const bytes = await exported(first);
  assert.equal(decodePolicyCheckpoint(bytes).checkpoint.iteration, 1);
  const second = (await start()).client;
  assert.deepEqual(await upload(second, bytes, 100), { policyVersion: '2', iteration: 1 });
  assert.deepEqual(await exported(second), bytes);
});

test('an export carries the iteration that is asked for, and without one the policy’s own', async () => {
  const { client } = await start('--checkpoint', checkpointFile);
  await callUnary(client, 'update', { updateId: 'u', experiences: [experience('x')] });
  const own = await exported(client);
  for (const iteration of [7, 0, 2 ** 32 - 1]) {
    const { checkpoint } = decodePolicyCheckpoint(await exported(client, { iteration }));
    assert.deepEqual({ ...checkpoint, iteration: 1 }, decodePolicyCheckpoint(own).checkpoint);
    assert.equal(checkpoint.iteration, iteration);
  }
  assert.equal(decodePolicyCheckpoint(own).checkpoint.iteration, 1);
  assert.deepEqual(await exported(client), own);
});

test('a checkpoint of the reference is served with its predictions, and learned on', async () => {
  const fixture = new URL('../../../test/fixtures/seed-checkpoint/', import.meta.url);
  const { act } = JSON.parse(readFileSync(new URL('expected.json', fixture), 'utf8')) as {
    act: { states: number[][]; a: number[]; b: number[]; ucb: number[]; beta: number };
  };
  const { client } = await start('--checkpoint', fileURLToPath(new URL('policy_10.pt', fixture)));
  const info = await callUnary(client, 'getInfo', {});
  assert.deepEqual([info.iteration, info.embeddingDimension, info.hyperParameters?.hidden], [10, 16, 32]);
  assert.deepEqual(
    [info.aValues, info.bValues],
    [
      [0, 0.01, 10],
      [8, 64],
    ],
  );
  for (const [i, values] of act.states.entries()) {
    const choice = await callUnary(client, 'selectAction', { embedding: { values }, explore: true, beta: act.beta });
    assert.deepEqual([Math.fround(choice.action!.a), choice.action!.b], [act.a[i], act.b[i]]);
    assert.ok(Math.abs(choice.ucb - act.ucb[i]!) <= 1e-5);
  }
  const learned = { id: 'x', embedding: { values: act.states[0]! }, actionIndex: 1, reward: 1 };
  await callUnary(client, 'update', { updateId: 'u', experiences: [learned] });
  const { checkpoint } = decodePolicyCheckpoint(await exported(client));
  assert.deepEqual([checkpoint.iteration, checkpoint.state.optimizerStep], [11, 11]);
});

test('an import that is damaged, of another space, empty or over the limit leaves the old policy', async () => {
  const { client } = await start('--checkpoint', checkpointFile, '--max_checkpoint_bytes', '20000');
  const bytes = testBytes();
  const before = await exported(client);
  await assert.rejects(upload(client, bytes.subarray(0, 5000)), { code: 'DATA_LOSS' });
  const flipped = bytes.slice();
  flipped[flipped.length - 100]! ^= 16;
  await assert.rejects(upload(client, flipped), { code: 'DATA_LOSS' });
  const space = new ActionSpace([0, 10], [8]);
  const state = NeuralUcb.initial({ space, dimension: testDimension, hidden: 12, seed: 3 }).state();
  await assert.rejects(upload(client, testBytes({ state })), {
    code: 'FAILED_PRECONDITION',
    reason: 'other-action-space',
  });
  await assert.rejects(upload(client, new Uint8Array()), { code: 'INVALID_ARGUMENT', field: 'data' });
  await assert.rejects(upload(client, new Uint8Array(20_001)), { code: 'RESOURCE_EXHAUSTED', message: /20000 bytes/ });
  assert.deepEqual(await exported(client), before);
});

test('watchers get the version at once and each new one, and end when the server stops', async () => {
  const { client, server } = await start('--checkpoint', checkpointFile);
  const seen: string[] = [];
  for await (const { policyVersion, iteration, updatedAt } of callServerStream(client, 'watchPolicy', {})) {
    seen.push(`${policyVersion}/${iteration}`);
    assert.ok(Number(updatedAt?.seconds) > 1_700_000_000);
    if (seen.length === 1) await callUnary(client, 'update', { updateId: 'u', experiences: [experience('x')] });
    if (seen.length === 2) await upload(client, testBytes({ iteration: 7, policyVersion: 9 }));
    if (seen.length === 3) void server.stop();
  }
  assert.deepEqual(seen, ['1/0', '2/1', '9/7']);
});

test('health and readiness answer while an update is computed', async () => {
  const { client, server } = await start();
  const agent = NeuralUcb.initial({ space: testSpace, dimension: testDimension, hidden: 256, seed: 1 });
  await upload(client, testBytes({ state: agent.state() }), 1 << 20);
  const random = new Random(5);
  const experiences = Array.from({ length: 1024 }, (_, i) =>
    experience(`e${i}`, { embedding: embedding(i), reward: random.uniform() }),
  );
  const done: string[] = [];
  const update = callUnary(client, 'update', { updateId: 'u', experiences }).then(() => done.push('update'));
  const http = fetch(`http://127.0.0.1:${server.httpPort}/healthz`).then(() => done.push('health'));
  const health = waitUntilServing(`127.0.0.1:${server.port}`, { timeoutMs: 60_000 }).then(() => done.push('health'));
  await Promise.all([update, http, health]);
  assert.equal(done.at(-1), 'update');
});

test('a checkpoint that is missing or damaged ends the start with the file named', async () => {
  const broken = join(folder, 'policy_1.safetensors');
  writeFileSync(broken, testBytes().subarray(0, 3000));
  await assert.rejects(start('--checkpoint', broken), { code: 'DATA_LOSS', message: /^policy_1\.safetensors: / });
  const hostile = join(folder, 'policy_1.pt');
  writeFileSync(hostile, 'cos\nsystem\n.');
  await assert.rejects(start('--checkpoint', hostile), { code: 'DATA_LOSS', message: /^policy_1\.pt: is not a zip/ });
  await assert.rejects(start('--checkpoint', join(folder, 'none.pt')), { code: 'NOT_FOUND' });
  await assert.rejects(start('--checkpoint', join(folder, 'none')), {
    code: 'NOT_FOUND',
    message: /none cannot be read/,
  });
});

test('the process serves on the ports it prints and ends with 0 at SIGTERM', async () => {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const argv = [main, '--port', '0', '--http_port', '0', '--checkpoint', checkpointFile, '--log_level', 'silent'];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { service: name, port } = JSON.parse(line) as { service: string; port: number };
  assert.equal(name, 'policy');
  const client = connect(PolicyServiceClient, `127.0.0.1:${port}`);
  clients.push(client);
  assert.equal((await callUnary(client, 'getInfo', {})).policyVersion, '1');
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  assert.deepEqual(await exit, [0, null]);
});
