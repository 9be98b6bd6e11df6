import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '@a2sf/random';
import { A2sfError } from '@a2sf/errors';
import { CheckpointFolder, encodePolicyCheckpoint } from '@a2sf/run-store';
import type { EvaluationLine } from './evaluation.js';
import { everyIndex } from './known-prompts.js';
import { claimFolder, RunFolder, type FolderUse } from './run-folder.js';
import {
  rewardOf,
  TestPeers,
  testContext,
  testPolicy,
  testPrompts,
  testSettings,
  testSpace,
  tokensOf,
} from './peers.fixture.js';
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
    [...new Set(asked)], // twice where prompts were encoded ahead
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

test('the next iteration’s prompts are encoded while this one’s are swept, and not for one behind the last', async () => {
  const peers = new TestPeers();
  const seen: (readonly string[])[] = [];
  const encode = peers.encode.bind(peers);
  peers.encode = (texts) => {
    seen.push(texts);
    return encode(texts);
  };
  const atSweep: number[] = [];
  peers.beforeSweep = async (task) => {
    await delay(1);
    if (task.text.startsWith('train')) atSweep.push(seen.length);
  };
  // One prompt an iteration, ten different ones: each iteration has one to encode.
  const folder = join(root, 'ahead');
  await runIn(folder, { peers, settings: { episodesPerUpdate: 1, iterations: 4, evalFrequency: 100 } });
  const trained = seen.filter((texts) => texts[0]!.startsWith('train'));
  assert.deepEqual(
    trained.map((texts) => texts.length),
    [1, 1, 1, 1],
  );
  const calls = [1, 2, 3, 3].map((n) => seen.indexOf(trained[n]!) + 1);
  assert.deepEqual(atSweep, calls);
});

test('what could not be encoded ahead fails the iteration that needs it, and not the one before', async () => {
  const peers = new TestPeers();
  const encode = peers.encode.bind(peers);
  let calls = 0;
  peers.encode = (texts) => {
    if (!texts[0]!.startsWith('train') || ++calls < 3) return encode(texts);
    return Promise.reject(new A2sfError('UNAVAILABLE', 'the encoder is gone'));
  };
  const folder = join(root, 'ahead-failed');
  const settings = { episodesPerUpdate: 1, iterations: 6, evalFrequency: 100, checkpointFrequency: 100 };
  await assert.rejects(runIn(folder, { peers, settings }), /the encoder is gone/);
  assert.equal(await (await CheckpointFolder.open(folder)).latest(), 2);
});

test('a run that ends waits for what was begun ahead, and ends it', async () => {
  const peers = new TestPeers();
  const encode = peers.encode.bind(peers);
  let inWork = 0;
  let wasEnded = false;
  let calls = 0;
  peers.encode = async (texts, signal) => {
    if (!texts[0]!.startsWith('train') || ++calls < 2) return encode(texts);
    inWork++;
    await delay(2000, undefined, { signal }).finally(() => {
      inWork--;
      wasEnded = signal?.aborted === true;
    });
    return encode(texts);
  };
  peers.beforeSweep = (task) =>
    task.text.startsWith('train') ? Promise.reject(new A2sfError('INTERNAL', 'broken')) : Promise.resolve();
  await assert.rejects(runIn(join(root, 'ahead-ended'), { peers, settings: { episodesPerUpdate: 1 } }), /broken/);
  assert.deepEqual([calls, inWork, wasEnded], [2, 0, true]);
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

test('a policy that was started with another learning rate or number of steps is refused', async () => {
  const lr = { lr: 0.5, ucbBeta: 1, uncertaintyCoef: 0.1, maxGradNorm: 1 };
  const refusal = { name: 'A2sfError', code: 'FAILED_PRECONDITION', field: 'policy' };
  await assert.rejects(runIn(join(root, 'rate'), { settings: { hyperParameters: lr } }), refusal);
  const steps = { ...testSettings.hyperParameters, stepsPerUpdate: 2 };
  await assert.rejects(runIn(join(root, 'steps'), { settings: { hyperParameters: steps } }), {
    ...refusal,
    message: /steps_per_update 1, the run is defined with .* and 2;/,
  });
});

const settings = { feedback: 'full' as const };
const whole = join(root, 'full');
const fullPeers = new TestPeers();
await runIn(whole, { peers: fullPeers, settings });
const expectedFull = leftIn(whole);

interface FullLine {
  readonly iteration: number;
  readonly avg_reward: number;
  readonly regret: number;
  readonly actions_a: number[];
  readonly actions_b: number[];
}

test('with full feedback each prompt is swept once over the whole space, and learnt from with all rewards', () => {
  const trained = fullPeers.sweeps.filter(({ text }) => text.startsWith('train'));
  assert.equal(trained.length, 10);
  assert.equal(new Set(trained.map(({ text }) => text)).size, 10);
  assert.ok(fullPeers.sweeps.every(({ actions }) => actions.length === testSpace.size));
  const texts = testPrompts('train', 10, true).map(({ text }) => text);
  for (const { id, experiences } of fullPeers.updates) {
    for (const seen of experiences) {
      const episode = (Number(id.split('/')[1]) - 1) * 6 + Number(seen.id.split('/')[2]);
      const text = texts[(episode * 7) % 10]!;
      assert.deepEqual(
        seen.rewards,
        [0, 1, 2, 3, 4, 5].map((action) => rewardOf(text, action)),
      );
      assert.equal(seen.key, 'test');
    }
  }
});

test('the regret and reward of an iteration are those of a naive computation', async () => {
  const lines = expectedFull.progress as unknown as FullLine[];
  const texts = testPrompts('train', 10, true).map(({ text }) => text);
  const twin = new TestPeers();
  await twin.importCheckpoint(testPolicy());
  for (const line of lines) {
    let [lost, earned] = [0, 0];
    for (let k = 0; k < 6; k++) {
      const text = texts[(((line.iteration - 1) * 6 + k) * 7) % 10]!;
      const rewards = [0, 1, 2, 3, 4, 5].map((action) => rewardOf(text, action));
      if (tokensOf(text) <= 64) {
        earned += 1;
        continue;
      }
      const [greedy] = await twin.selectActions(await twin.encode([text]), { explore: false });
      lost += Math.max(...rewards) - rewards[greedy!.actionIndex]!;
      earned += rewards[testSpace.indexOf({ a: line.actions_a[k]!, b: line.actions_b[k]! })!]!;
    }
    assert.ok(Math.abs(line.regret - lost / 6) < 1e-12, `iteration ${line.iteration}`);
    assert.ok(Math.abs(line.avg_reward - earned / 6) < 1e-12, `iteration ${line.iteration}`);
    const { id, experiences } = fullPeers.updates[line.iteration - 1]!;
    await twin.update(id, experiences);
  }
});

test('with full feedback a run stopped anywhere, or killed, and resumed equals one that was never stopped', async () => {
  for (const stopAt of [2, 7, 9, 12, 15]) {
    const folder = join(root, `full-stopped-${stopAt}`);
    const controller = new AbortController();
    const peers = new TestPeers();
    peers.beforeSweep = (_task, count) => {
      if (count === stopAt) controller.abort(new A2sfError('CANCELLED', 'stop'));
      return Promise.resolve();
    };
    assert.equal((await runIn(folder, { peers, signal: controller.signal, settings })).interrupted, true);
    await resumeIn(folder, { settings });
    assert.deepEqual(leftIn(folder), expectedFull);
  }
  const killed = join(root, 'full-killed');
  const peers = new TestPeers();
  peers.beforeUpdate = (id) => {
    if (id === 'run/6') throw new Error('gone');
  };
  await assert.rejects(runIn(killed, { peers, settings }), /gone/);
  const after = new TestPeers();
  await resumeIn(killed, { peers: after, settings });
  assert.deepEqual(leftIn(killed), expectedFull);
  assert.equal(after.sweeps.length, 0, 'all rows were in the folder');
});

test('with full feedback the order in which sweeps finish changes nothing', async () => {
  const folder = join(root, 'full-shuffled');
  const peers = new TestPeers();
  const random = new Random(2);
  peers.beforeSweep = () => delay(random.below(4));
  await runIn(folder, { peers, settings });
  assert.deepEqual(leftIn(folder), expectedFull);
});

test('train baselines are chosen on what episodes visited, whatever rows a folder holds beyond them', async () => {
  const evaluations = expectedFull.evaluation.map((line) => JSON.parse(line) as EvaluationLine);
  assert.equal(evaluations[0]!.baselines.best_fixed_train, undefined);
  assert.ok(evaluations.slice(1).every(({ baselines }) => baselines.best_fixed_train !== undefined));
  // All rows are there from the start; the lines stay those of a run that sweeps as it goes.
  const folder = join(root, 'full-rows');
  const records = await RunFolder.open(await claimFolder(folder, false), { kind: 'new' });
  const context = testContext(new TestPeers(), records, settings);
  await context.train.rows(everyIndex(context.train));
  await train(context, begin, never);
  await records.close();
  assert.deepEqual(leftIn(folder), expectedFull);
});

test('without improvement for as many evaluations as its patience a run ends, and names the best checkpoint', async () => {
  const patience = { ...settings, iterations: 40, patience: 4, evalFrequency: 1, checkpointFrequency: 50 };
  const folder = join(root, 'patience');
  // Evaluated on the prompts that it learns from, so that it improves before it stalls.
  const run = async (use: FolderUse, start: TrainingStart) => {
    const records = await RunFolder.open(await claimFolder(folder, use.kind !== 'new'), use);
    const context = testContext(new TestPeers(), records, patience);
    const ended = await train({ ...context, evaluation: context.train }, start, never);
    await records.close();
    return ended;
  };
  const { iteration, stalled, best } = await run({ kind: 'new' }, begin);
  assert.equal(stalled, true);
  const evaluations = readFileSync(join(folder, 'evaluation.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as EvaluationLine);
  const rewards = evaluations.map((line) => line.eval_avg_reward);
  const highest = rewards.indexOf(Math.max(...rewards));
  assert.ok(highest > 0, 'it learns something');
  assert.equal(iteration, highest + 4);
  assert.equal(rewards.length, iteration + 1);
  assert.deepEqual(best, { iteration: highest, file: `policy_${highest}.safetensors`, reward: rewards[highest] });
  assert.ok((await (await CheckpointFolder.open(folder)).list()).includes(highest));
  const checkpoint = readFileSync(join(folder, `policy_${iteration}.safetensors`));
  const again = await run({ kind: 'resume', iteration, from: folder }, { iteration, checkpoint, write: false });
  assert.deepEqual([again.iteration, again.stalled], [iteration, true]);
});
