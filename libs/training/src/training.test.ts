import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '@a2sf/random';
import { A2sfError } from '@a2sf/errors';
import { CheckpointFolder, encodePolicyCheckpoint } from '@a2sf/run-store';
import { claimFolder, RunFolder, type FolderUse } from './run-folder.js';
import { TestPeers, testContext, testPolicy, tokensOf } from './peers.fixture.js';
import { train, type TrainingOutcome, type TrainingSettings, type TrainingStart } from './training.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-training-'));
after(() => rmSync(root, { recursive: true, force: true }));
const never = new AbortController().signal;
const begin: TrainingStart = { iteration: 0, checkpoint: testPolicy(), write: true };

interface RunOptions {
  readonly peers?: TestPeers;
  readonly use?: FolderUse;
  readonly start?: TrainingStart;
  readonly signal?: AbortSignal;
  readonly settings?: Partial<TrainingSettings>;
}

async function runIn(folder: string, options: RunOptions = {}): Promise<TrainingOutcome> {
  const { peers = new TestPeers(), use = { kind: 'new' }, start = begin, signal = never, settings = {} } = options;
  const records = await RunFolder.open(await claimFolder(folder, use.kind !== 'new'), use);
  try {
    return await train(testContext(peers, records, settings), start, signal);
  } finally {
    await records.close();
  }
}

/** What a run left, but for the seconds. */
function leftIn(folder: string) {
  const lines = (name: string) => readFileSync(join(folder, name), 'utf8').trim().split('\n');
  const progress = lines('progress.jsonl').map((line) => ({ ...(JSON.parse(line) as object), seconds: undefined }));
  return {
    progress,
    evaluation: lines('evaluation.jsonl'),
    checkpoint: readFileSync(join(folder, 'policy_8.safetensors')).toString('base64'),
  };
}

async function resumeIn(folder: string, options: RunOptions = {}): Promise<TrainingOutcome> {
  const checkpoints = await CheckpointFolder.open(folder);
  const iteration = (await checkpoints.latest())!;
  const checkpoint = encodePolicyCheckpoint((await checkpoints.read(iteration)).checkpoint);
  const use: FolderUse = { kind: 'resume', iteration, from: folder };
  return runIn(folder, { ...options, use, start: { iteration, checkpoint, write: false } });
}

const undisturbed = join(root, 'undisturbed');
const outcome = await runIn(undisturbed);
const expected = leftIn(undisturbed);

test('a run logs every iteration, evaluates and keeps the last three checkpoints and the best', async () => {
  assert.deepEqual(
    { iteration: outcome.iteration, interrupted: outcome.interrupted },
    { iteration: 8, interrupted: false },
  );
  assert.equal(expected.progress.length, 8);
  const evaluations = expected.evaluation.map(
    (line) => JSON.parse(line) as { iteration: number; eval_avg_reward: number },
  );
  assert.deepEqual(
    evaluations.map((line) => line.iteration),
    [0, 2, 4, 6, 8],
  );
  const best = evaluations.reduce((x, y) => (y.eval_avg_reward > x.eval_avg_reward ? y : x)).iteration;
  const kept = await (await CheckpointFolder.open(undisturbed)).list();
  assert.deepEqual(
    kept,
    [...new Set([best, 4, 6, 8])].sort((x, y) => x - y),
  );
});

test('iteration i runs the episodes (i - 1) * E .. i * E - 1 of the prompt order, the first one from 0', async () => {
  const folder = join(root, 'episodes');
  const records = await RunFolder.open(await claimFolder(folder, false), { kind: 'new' });
  const context = testContext(new TestPeers(), records, {});
  const asked: number[] = [];
  const promptOf = (episode: number): number => {
    asked.push(episode);
    return context.promptOf(episode);
  };
  await train({ ...context, promptOf }, begin, never);
  await records.close();
  assert.deepEqual(
    asked,
    Array.from({ length: 8 * context.settings.episodesPerUpdate }, (_, episode) => episode),
  );
});

test('a run stopped by its signal in any iteration and resumed equals one that was never stopped', async () => {
  for (const stopAt of [2, 13, 20, 32, 41]) {
    const folder = join(root, `stopped-${stopAt}`);
    const controller = new AbortController();
    const peers = new TestPeers();
    peers.beforeSweep = (_task, count) => {
      if (count === stopAt) controller.abort(new A2sfError('CANCELLED', 'stop'));
      return Promise.resolve();
    };
    assert.equal((await runIn(folder, { peers, signal: controller.signal })).interrupted, true);
    await resumeIn(folder);
    assert.deepEqual(leftIn(folder), expected);
  }
});

test('a run whose process died between two checkpoints and is resumed equals one that was never stopped', async () => {
  const folder = join(root, 'died');
  const peers = new TestPeers();
  // An update whose outcome is not known leaves no checkpoint, as a killed process does.
  peers.beforeUpdate = (id) => {
    if (id === 'run/6') throw new Error('gone');
  };
  await assert.rejects(runIn(folder, { peers }), /gone/);
  assert.deepEqual(await (await CheckpointFolder.open(folder)).list(), [0, 2, 4]);
  assert.equal(readFileSync(join(folder, 'progress.jsonl'), 'utf8').trim().split('\n').length, 5);
  await resumeIn(folder);
  assert.deepEqual(leftIn(folder), expected);
});

test('a resumed run makes up for the evaluation that it was stopped in', async () => {
  const folder = join(root, 'evaluating');
  const controller = new AbortController();
  const peers = new TestPeers();
  const selectActions = peers.selectActions.bind(peers);
  peers.selectActions = (embeddings, mode) => {
    if (!mode.explore && peers.updates.length === 4) {
      controller.abort(new A2sfError('CANCELLED', 'stop'));
      throw controller.signal.reason;
    }
    return selectActions(embeddings, mode);
  };
  assert.equal((await runIn(folder, { peers, signal: controller.signal })).iteration, 4);
  await resumeIn(folder);
  assert.deepEqual(leftIn(folder), expected);
});

test('the order in which sweeps finish changes nothing', async () => {
  const folder = join(root, 'shuffled');
  const peers = new TestPeers();
  const random = new Random(1);
  peers.beforeSweep = () => delay(random.below(4));
  await runIn(folder, { peers });
  assert.deepEqual(leftIn(folder), expected);
});

test('when a peer fails, the last complete iteration is saved and the first failure is told', async () => {
  const folder = join(root, 'failed');
  const peers = new TestPeers();
  peers.beforeSweep = async (_task, count) => {
    if (count < 30) return;
    await delay(count === 30 ? 0 : 5);
    throw new A2sfError('UNAVAILABLE', `sweep ${count} failed`);
  };
  await assert.rejects(runIn(folder, { peers }), /sweep 30 failed/);
  const complete = peers.updates.length;
  assert.ok(complete > 0 && complete < 8);
  assert.equal(await (await CheckpointFolder.open(folder)).latest(), complete);
  await resumeIn(folder);
  assert.deepEqual(leftIn(folder), expected);
});

test('a prompt that fits the budget earns 1, is not learnt from and is swept once', async () => {
  const peers = new TestPeers();
  const folder = join(root, 'kept');
  await runIn(folder, { peers });
  const short = peers.sweeps.filter((task) => tokensOf(task.text) <= 64);
  assert.equal(new Set(short.map((task) => task.text)).size, short.length);
  assert.ok(short.length > 0);
  const sent = peers.updates.flatMap(({ experiences }) => experiences.map(({ id }) => id));
  const lines = leftIn(folder).progress as unknown as { kept_all: number; avg_reward: number }[];
  const keptAll = lines.reduce((sum, line) => sum + line.kept_all, 0);
  assert.ok(keptAll > 0);
  assert.equal(sent.length, 8 * 6 - keptAll);
  assert.equal(new Set(sent).size, sent.length);
});

test('an iteration in which every prompt fits the budget sends no update', async () => {
  const peers = new TestPeers();
  const folder = join(root, 'all-kept');
  const generation = { budget: 1000, recent: 0, maxNewTokens: 16, maxPromptTokens: 0 };
  const { iteration, evaluation } = await runIn(folder, { peers, settings: { generation } });
  assert.deepEqual({ iteration, evaluation }, { iteration: 8, evaluation: undefined });
  assert.equal(peers.updates.length, 0);
  const [first] = readFileSync(join(folder, 'progress.jsonl'), 'utf8').split('\n');
  const { avg_reward, prediction_loss, kept_all } = JSON.parse(first!) as Record<string, unknown>;
  assert.deepEqual({ avg_reward, prediction_loss, kept_all }, { avg_reward: 1, prediction_loss: null, kept_all: 6 });
});

test('each prompt is encoded once, and its full cache is asked for until its text is known', async () => {
  const peers = new TestPeers();
  await runIn(join(root, 'once'), { peers });
  // The evaluation's prompts that fit the budget (0 and 5 of 6) are never encoded.
  assert.equal(peers.encoded, 10 + 4);
  const full = peers.sweeps.filter((task) => task.includeFull && task.actions.length === 1).map((task) => task.text);
  assert.equal(new Set(full).size, full.length);
});

test('updates are named by run and iteration, and list experiences in episode order', async () => {
  const peers = new TestPeers();
  await runIn(join(root, 'names'), { peers });
  assert.deepEqual(
    peers.updates.map(({ id }) => id),
    [1, 2, 3, 4, 5, 6, 7, 8].map((iteration) => `run/${iteration}`),
  );
  for (const { id, experiences } of peers.updates) {
    const numbers = experiences.map((experience) => Number(experience.id.slice(id.length + 1)));
    assert.deepEqual(
      numbers,
      numbers.toSorted((x, y) => x - y),
    );
  }
});

test('a policy that was started with another learning rate is refused', async () => {
  const lr = { lr: 0.5, ucbBeta: 1, uncertaintyCoef: 0.1, maxGradNorm: 1 };
  await assert.rejects(runIn(join(root, 'rate'), { settings: { hyperParameters: lr } }), {
    name: 'A2sfError',
    code: 'FAILED_PRECONDITION',
    field: 'policy',
  });
});
