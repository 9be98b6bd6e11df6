import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { resolveOptions } from '@a2sf/config';
import { RewardServiceClient, type RewardServiceStub, type ScoreItem } from '@a2sf/contracts';
import { callUnary, connect, serve, type RunningServer } from '@a2sf/grpc-runtime';
import { resolveModelFolder } from '@a2sf/model-zoo';
import { Metrics, createLogger, metricSchema } from '@a2sf/observability';
import { metricNames } from '@a2sf/rewards';
import { LazyEmbedder, type TextEmbedder } from './embedder.js';
import { options } from './options.js';
import { rewardService } from './service.js';

// The whole service over gRPC on loopback, with the embedded encoder.
const flags = ['--port', '0', '--http_port', '0', '--max_items', '100'];
const { values } = resolveOptions({ name: 'reward', description: 'test' }, options, flags, {});
const log = createLogger({ name: 'reward', level: 'fatal', stream: new Writable({ write: (_c, _e, done) => done() }) });
const lazy = new LazyEmbedder({ ...resolveModelFolder(undefined, 'encoder'), threads: 1 }, log);
const embedded: string[][] = [];
const embedder: TextEmbedder = {
  get encoderId() {
    return lazy.encoderId;
  },
  embed(texts, signal) {
    embedded.push([...texts]);
    return lazy.embed(texts, signal);
  },
};
const metrics = new Metrics({ processMetrics: false });
const scoreSeconds = metrics.histogram('a2sf_reward_score_seconds');
let server: RunningServer;
let client: RewardServiceStub;

before(async () => {
  server = await serve({
    name: 'reward',
    service: rewardService(embedder, { maxItems: values.maxItems }, scoreSeconds),
    options: values,
    metrics,
    log,
    onStop: () => lazy.dispose(),
    process: false,
  });
  server.setReady(true);
  client = connect(RewardServiceClient, `127.0.0.1:${server.port}`);
});

after(async () => {
  client.close();
  await server.stop();
});

async function score(...items: ScoreItem[]): Promise<number[]> {
  return (await callUnary(client, 'score', { items })).scores;
}

const item = (rest: ScoreItem): ScoreItem => ({ metric: 'rouge_l', prediction: 'a b', references: ['a b'], ...rest });

test('no encoder is loaded before the first cosine', async () => {
  assert.deepEqual(await score(item({})), [1]);
  assert.equal((await callUnary(client, 'listMetrics', {})).encoderId, '');
  assert.deepEqual(embedded, []);
});

test('blank texts score 0 under cosine without an encoder', async () => {
  const cosine = (prediction: string, ...references: string[]) => item({ metric: 'cosine', prediction, references });
  assert.deepEqual(await score(cosine('', 'a'), cosine(' \n', 'a'), cosine('a', '', ' ')), [0, 0, 0]);
  assert.deepEqual(embedded, []);
});

test('cosine compares embeddings, and each text of a call is embedded once', async () => {
  const cosine = (prediction: string, ...references: string[]) => item({ metric: 'cosine', prediction, references });
  const scores = await score(
    cosine('Mara Copper', 'Mara Copper'),
    cosine('Mara Copper', 'otter 12', 'Mara Stone'),
    cosine('otter 12', 'Mara Copper'),
  );
  assert.ok(Math.abs(scores[0]! - 1) < 1e-6);
  assert.ok(scores[1]! > scores[2]! && scores[1]! < 0.99, String(scores));
  assert.deepEqual(embedded, [['Mara Copper', 'otter 12', 'Mara Stone']]);
  assert.match((await callUnary(client, 'listMetrics', {})).encoderId, /./);
});

test('scores keep the order of the items, whatever their metrics', async () => {
  const scores = await score(
    item({ metric: 'exact_prefix', prediction: 'ab', references: ['abcd', 'x'] }),
    item({ metric: 'rouge_l_score', prediction: 'nothing' }),
    item({ metric: '', dataset: 'hotpotqa', prediction: 'The Tower', references: ['tower'] }),
    item({ metric: '', dataset: 'trec', prediction: 'b\nc', references: ['b'], allClasses: ['b', 'c'] }),
    item({ metric: 'rouge_2' }),
  );
  assert.deepEqual(scores, [0.5, 0, 1, 1, 1]);
});

test('ListMetrics gives the metrics and the dataset table, both sorted', async () => {
  const { metrics, datasetMetrics } = await callUnary(client, 'listMetrics', {});
  assert.deepEqual(metrics, metrics.toSorted());
  for (const name of ['cosine', 'rouge_1', 'rouge_2', 'rouge_l', 'exact_prefix']) assert.ok(metrics.includes(name));
  const datasets = datasetMetrics.map((entry) => entry.dataset);
  assert.deepEqual(datasets, datasets.toSorted());
  assert.ok(datasetMetrics.every((entry) => metrics.includes(entry.metric)));
});

test('every metric has its series', () => {
  const labels: readonly string[] = metricSchema.a2sf_reward_score_seconds.labels.metric;
  for (const name of metricNames) assert.ok(labels.includes(name), name);
});

test('each item scored is observed under its metric', async () => {
  const count = async () =>
    /a2sf_reward_score_seconds_count\{metric="rouge_1"\} (\d+)/.exec(await metrics.registry.metrics())![1]!;
  const before = Number(await count());
  await score(item({ metric: 'rouge_1' }), item({ metric: 'rouge_1' }));
  assert.equal(Number(await count()), before + 2);
});

const refusals: [what: string, items: ScoreItem[], code: string, message: RegExp][] = [
  ['no items', [], 'INVALID_ARGUMENT', /^items: must hold 1\.\.100 entries, holds 0$/],
  ['too many items', Array.from({ length: 101 }, () => item({})), 'INVALID_ARGUMENT', /^items: .*1\.\.100.*101/],
  [
    'an unknown metric',
    [item({}), item({ metric: 'bleu' })],
    'INVALID_ARGUMENT',
    /^items\[1\]\.metric: unknown metric "bleu", known are .*rouge_l/,
  ],
  ['a metric that comes later', [item({ metric: 'qa_f1_zh' })], 'INVALID_ARGUMENT', /^items\[0\]\.metric: .*known are/],
  [
    'an unknown dataset',
    [item({ metric: '', dataset: 'nosuch' })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.dataset: unknown dataset "nosuch"/,
  ],
  [
    'a dataset whose metric comes later',
    [item({ metric: '', dataset: 'dureader' })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.dataset: the metric rouge_zh of dureader is not available/,
  ],
  [
    'an unknown dataset of a task metric',
    [item({ metric: 'qa_f1', dataset: 'trek' })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.dataset/,
  ],
  ['neither metric nor dataset', [item({ metric: '' })], 'INVALID_ARGUMENT', /^items\[0\]\.metric: must be given/],
  ['no references', [item({ references: [] })], 'INVALID_ARGUMENT', /^items\[0\]\.references: must hold 1\.\.64/],
  [
    'too many references',
    [item({ references: Array.from({ length: 65 }, () => 'a') })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.references: .*1\.\.64.*65/,
  ],
  [
    'no classes',
    [item({ metric: 'classification' })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.all_classes: must hold 1\.\.256/,
  ],
  [
    'too long a text',
    [item({ references: ['a', 'é'.repeat(2 ** 19 + 1)] })],
    'RESOURCE_EXHAUSTED',
    /^items\[0\]\.references\[1\]: 1048578 bytes, the limit is 1048576$/,
  ],
  [
    'too many words to compare',
    [item({}), item({ prediction: 'a '.repeat(70_000) })],
    'RESOURCE_EXHAUSTED',
    /^items\[1\]: text: 70000 words to compare, the limit is 65536$/,
  ],
];

for (const [what, items, code, message] of refusals) {
  test(`${what}: ${code}, naming the field and the limit`, async () => {
    await assert.rejects(score(...items), { code, message });
  });
}

test('scoring stops when the caller gives up, and other calls are answered meanwhile', async () => {
  const words = Array.from({ length: 20_000 }, (_, i) => `w${i % 97}`);
  const items = Array.from({ length: 40 }, () =>
    item({ prediction: words.join(' '), references: [words.toReversed().join(' ')] }),
  );
  const abort = new AbortController();
  const long = callUnary(client, 'score', { items }, { signal: abort.signal });
  const cancelled = assert.rejects(long, { code: 'CANCELLED' });
  assert.ok((await callUnary(client, 'listMetrics', {})).metrics.length > 0);
  abort.abort();
  await cancelled;
});
