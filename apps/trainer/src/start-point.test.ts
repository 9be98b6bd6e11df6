import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { restoreAgent } from '@a2sf/bandit';
import { resolveOptions } from '@a2sf/config';
import { decodePolicyCheckpoint, type PolicyCheckpoint } from '@a2sf/run-store';
import { findResumePoint, type ResumePoint } from '@a2sf/training';
import { options } from './options.js';
import { resumeOptions } from './recorded-options.js';
import { planRun, type RunPlan } from './run-plan.js';
import { startPoint } from './start-point.js';

const referenceFile = fileURLToPath(new URL('../../../test/fixtures/seed-checkpoint/policy_10.pt', import.meta.url));
const side = { size: 0, hash: '' };
const participants = { modelId: 'model-1', encoderId: 'encoder-1', dimension: 16, rewardEncoderId: '' };

function planOf(resume: ResumePoint | undefined, ...argv: string[]): RunPlan {
  const resolution = resolveOptions({ name: 'a2sf train', description: '' }, options, argv, {});
  const { values } = resolution;
  const merged = resume === undefined ? values : resumeOptions(options, resolution, resume.config, resume.configSource);
  return planRun(merged, participants, { train: side, evaluation: side });
}

function startOf(resume: ResumePoint | undefined, dimension: number, saveDir: string, ...argv: string[]) {
  const start = startPoint(planOf(resume, ...argv), dimension, resume, saveDir);
  const { checkpoint } = decodePolicyCheckpoint(start.checkpoint);
  return { ...start, checkpoint };
}

test('a run from a checkpoint of the reference has its learning flags, where none are given', async () => {
  const resume = await findResumePoint(referenceFile);
  const { definition, settings } = planOf(resume, '--lr', '0.01', '--iterations', '12');
  assert.deepEqual(definition.hyperParameters, { lr: 0.01, ucbBeta: 1, uncertaintyCoef: 0.1, maxGradNorm: 1 });
  assert.deepEqual([definition.seed, definition.episodesPerUpdate, settings.iterations], [77, 8, 12]);
  assert.deepEqual(
    [definition.aValues, definition.bValues],
    [
      [0, 0.01, 10],
      [8, 64],
    ],
  );
  assert.equal(definition.generation.maxPromptTokens, 3500); // of llama2
});

test('it begins with that policy, which from here on belongs to the encoder of the run', async () => {
  const resume = await findResumePoint(referenceFile);
  const { iteration, write, checkpoint } = startOf(resume, 16, resume.folder);
  assert.deepEqual([iteration, write], [10, true]); // also beside the .pt there is no policy_10.safetensors yet
  const expected: PolicyCheckpoint = {
    ...resume.checkpoint,
    encoderId: 'encoder-1',
    seed: 77,
    hyperParameters: { lr: 3e-4, ucbBeta: 1, uncertaintyCoef: 0.1, maxGradNorm: 1 },
    configHash: planOf(resume).configHash,
  };
  assert.deepEqual(checkpoint, expected);
});

test('an encoder of another dimension is refused, both named', async () => {
  const resume = await findResumePoint(referenceFile);
  assert.throws(() => startOf(resume, 768, 'x'), {
    code: 'FAILED_PRECONDITION',
    field: 'resume',
    message: /embeddings of 16 numbers, the encoder gives 768/,
  });
});

test('without a checkpoint a run begins at iteration 0; one of ours is written only into another folder', () => {
  const fresh = startOf(undefined, 16, 'x', '--a_values', '0', '--b_values', '8');
  assert.deepEqual([fresh.iteration, fresh.write, fresh.checkpoint.encoderId], [0, true, 'encoder-1']);
  const own: ResumePoint = {
    kind: 'run',
    folder: '/runs/own',
    iteration: 3,
    checkpoint: { ...fresh.checkpoint, encoderId: 'kept', iteration: 3 },
    config: { options: {} },
    configSource: 'config.json',
    warnings: [],
  };
  const there = startOf(own, 16, '/runs/own');
  assert.deepEqual([there.iteration, there.write, there.checkpoint.encoderId], [3, false, 'kept']);
  assert.equal(startOf(own, 16, '/runs/other').write, true);
});

test('a record of the reference that holds no valid value is named by its file', () => {
  const resolution = resolveOptions({ name: 'a2sf train', description: '' }, options, [], {});
  assert.throws(() => resumeOptions(options, resolution, { options: { lr: -1 } }, 'policy_10.pt'), {
    code: 'DATA_LOSS',
    message: /^policy_10\.pt: options\.lr: must be a number/,
  });
});

test('a new policy is of the algorithm that is named; another one than the checkpoint’s is refused', async () => {
  for (const agent of ['neural-ucb', 'lin-ucb', 'task-table', 'random']) {
    assert.equal(startOf(undefined, 16, 'new', '--agent', agent).checkpoint.state.agent, agent);
  }
  const resume = await findResumePoint(referenceFile);
  assert.throws(() => startOf(resume, 16, 'new', '--agent', 'lin-ucb'), {
    code: 'FAILED_PRECONDITION',
    field: 'agent',
    message: /made by neural-ucb, not lin-ucb/,
  });
});

test('the name of a bandit run is what it was before there was a choice of feedback', () => {
  const bandit = planOf(undefined);
  assert.equal('feedback' in bandit.definition, false);
  assert.notEqual(planOf(undefined, '--feedback', 'full').configHash, bandit.configHash);
});

test('a policy has the width that is asked for, and one that goes on keeps its own', async () => {
  const widthOf = (checkpoint: PolicyCheckpoint) => restoreAgent(checkpoint.state).hidden;
  const narrow = startOf(undefined, 16, 'new', '--hidden', '24');
  assert.equal(widthOf(narrow.checkpoint), 24);
  assert.equal(widthOf(startOf(undefined, 16, 'new').checkpoint), 512);
  const { checkpoint } = narrow;
  const own: ResumePoint = {
    kind: 'run',
    folder: '/runs/own',
    iteration: 3,
    checkpoint,
    config: { options: { hidden: 24 } },
    configSource: 'config.json',
    warnings: [],
  };
  assert.equal(widthOf(startOf(own, 16, '/runs/own').checkpoint), 24);
  assert.throws(() => startOf(own, 16, '/runs/own', '--hidden', '25'), {
    code: 'FAILED_PRECONDITION',
    field: 'hidden',
    message: /layers of width 24, not 25/,
  });
  const reference = await findResumePoint(referenceFile);
  assert.equal(widthOf(startOf(reference, 16, 'x').checkpoint), widthOf(reference.checkpoint));
  // An algorithm without a network has no width to ask for.
  const linear = startOf(undefined, 16, 'new', '--agent', 'lin-ucb').checkpoint;
  const resumed = { ...own, checkpoint: linear, config: { options: { agent: 'lin-ucb' } } };
  assert.equal(startOf(resumed, 16, '/runs/own', '--hidden', '25').checkpoint.state.agent, 'lin-ucb');
});

test('width and steps name a run where they are not the default', () => {
  const plain = planOf(undefined);
  assert.equal(plain.configHash, planOf(undefined, '--hidden', '512', '--steps_per_update', '1').configHash);
  const names = [['--hidden', '24'], ['--steps_per_update', '2'], []].map(
    (argv) => planOf(undefined, ...argv).configHash,
  );
  assert.equal(new Set(names).size, 3);
  assert.equal(planOf(undefined, '--steps_per_update', '2').settings.hyperParameters.stepsPerUpdate, 2);
});
