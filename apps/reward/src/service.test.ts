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

test('several metrics of one text are several items, and a mix is their weighted sum', async () => {
  const about = {
    prediction: '北京 otter',
    references: ['otter 北京', '北京'],
    dataset: 'vcsum',
    logProbs: [Math.log(0.25), 0],
  };
  const [cosine, rougeZh, own, logProb, mix] = await score(
    item({ ...about, metric: 'cosine' }),
    item({ ...about, metric: 'rouge_zh_score' }),
    item({ ...about, metric: '' }),
    item({ metric: 'log_prob', prediction: '', references: [], logProbs: about.logProbs }),
    item({ ...about, metric: 'mix:cosine=0.5,rouge_zh=0.3,log_prob=0.2' }),
  );
  assert.equal(own, rougeZh);
  assert.ok(Math.abs(logProb! - 0.5) < 1e-12);
  assert.ok(cosine! > 0 && rougeZh! > 0 && rougeZh! < 1);
  assert.ok(Math.abs(mix! - (0.5 * cosine! + 0.3 * rougeZh! + 0.1)) < 1e-12);
});

test('ListMetrics gives the metrics and the dataset table, both sorted', async () => {
  const { metrics, datasetMetrics } = await callUnary(client, 'listMetrics', {});
  assert.deepEqual(metrics, metrics.toSorted());
  assert.deepEqual(metrics, metricNames);
  for (const name of ['cosine', 'rouge_l', 'qa_f1_zh', 'rouge_zh', 'log_prob']) assert.ok(metrics.includes(name), name);
  for (const entry of [
    { dataset: 'dureader', metric: 'rouge_zh' },
    { dataset: 'multifieldqa_zh', metric: 'qa_f1_zh' },
  ]) {
    assert.ok(datasetMetrics.some(({ dataset, metric }) => dataset === entry.dataset && metric === entry.metric));
  }
  const datasets = datasetMetrics.map((entry) => entry.dataset);
  assert.deepEqual(datasets, datasets.toSorted());
  assert.ok(datasetMetrics.every((entry) => metrics.includes(entry.metric)));
});

test('every metric has its series', () => {
  const labels: readonly string[] = metricSchema.a2sf_reward_score_seconds.labels.metric;
  for (const name of [...metricNames, 'mix']) assert.ok(labels.includes(name), name);
});

test('each item scored is observed under its metric', async () => {
  const count = async (metric: string) =>
    Number(
      new RegExp(`a2sf_reward_score_seconds_count\\{metric="${metric}"\\} (\\d+)`).exec(
        await metrics.registry.metrics(),
      )?.[1] ?? 0,
    );
  const before = [await count('rouge_1'), await count('mix')];
  await score(item({ metric: 'rouge_1' }), item({ metric: 'rouge_1' }), item({ metric: 'mix:rouge_1=1' }));
  assert.deepEqual([await count('rouge_1'), await count('mix')], [before[0]! + 2, before[1]! + 1]);
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
  [
    'an unknown dataset',
    [item({ metric: '', dataset: 'nosuch' })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.dataset: unknown dataset "nosuch"/,
  ],
  [
    'an unknown dataset of a mix with a task metric',
    [item({ metric: 'mix:qa_f1=0.5,rouge_l=0.5', dataset: 'trek' })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.dataset: unknown dataset "trek"/,
  ],
  [
    'weights that do not sum to 1',
    [item({}), item({ metric: 'mix:rouge_l=0.5,rouge_1=0.6' })],
    'INVALID_ARGUMENT',
    /^items\[1\]\.metric: the weights of a mix must sum to 1/,
  ],
  [
    'no references for a mix that compares',
    [item({ metric: 'mix:log_prob=0.5,rouge_1=0.5', references: [], logProbs: [-1] })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.references: must hold 1\.\.64/,
  ],
  [
    'no log-probabilities',
    [item({}), item({ metric: 'log_prob' })],
    'INVALID_ARGUMENT',
    /^items\[1\]\.log_probs: must hold 1\.\.65536 entries, holds 0$/,
  ],
  [
    'no log-probabilities for a mix with log_prob',
    [item({ metric: 'mix:log_prob=0.5,rouge_1=0.5' })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.log_probs: must hold 1\.\.65536 entries, holds 0$/,
  ],
  [
    'a log-probability above 0, whatever the metric',
    [item({ logProbs: [-1, 0.5] })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.log_probs\[1\]: is 0\.5, must be at most 0$/,
  ],
  [
    'a log-probability that is NaN',
    [item({ metric: 'log_prob', logProbs: [NaN] })],
    'INVALID_ARGUMENT',
    /^items\[0\]\.log_probs\[0\]: is NaN, must be at most 0$/,
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
