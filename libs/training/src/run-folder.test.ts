import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findResumePoint, resumedPolicy } from './resume-point.js';
import { claimFolder, RunFolder, type FolderUse } from './run-folder.js';
import { testPolicy } from './peers.fixture.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-folder-'));
after(() => rmSync(root, { recursive: true, force: true }));

const progress = (iteration: number) => ({
  iteration,
  avg_reward: 0.5,
  prediction_loss: 0.1,
  total_loss: 0.1,
  actions_a: [10],
  actions_b: [16],
  kept_all: 0,
  seconds: {},
});

async function runWith(name: string, iterations: number): Promise<string> {
  const path = join(root, name);
  const folder = await RunFolder.open(await claimFolder(path, false), { kind: 'new' });
  await folder.writeConfig({ options: {} });
  for (let i = 1; i <= iterations; i++) await folder.appendProgress(progress(i));
  await folder.writeCheckpoint(0, testPolicy());
  await folder.close();
  return path;
}

test('a folder that holds a run is refused, left as it is, and the remedy is told', async () => {
  const path = await runWith('held', 3);
  const before = readFileSync(join(path, 'progress.jsonl'), 'utf8');
  await assert.rejects(claimFolder(path, false), {
    code: 'FAILED_PRECONDITION',
    field: 'save_dir',
    message: /--resume .*--overwrite.*--save_dir/,
  });
  assert.equal(readFileSync(join(path, 'progress.jsonl'), 'utf8'), before);
  assert.ok(!existsSync(join(path, 'run.lock')));
});

test('overwriting deletes the files of the run and no others', async () => {
  const path = await runWith('overwritten', 3);
  writeFileSync(join(path, 'notes.txt'), 'mine');
  const claim = await claimFolder(path, true);
  assert.ok(existsSync(join(path, 'policy_0.safetensors')), 'a claim alone changes nothing');
  const folder = await RunFolder.open(claim, { kind: 'overwrite' });
  await folder.close();
  assert.deepEqual(readdirSync(path).sort(), [
    'embeddings.bin',
    'evaluation.jsonl',
    'evaluation_rewards.jsonl',
    'notes.txt',
    'progress.jsonl',
    'train_rewards.jsonl',
  ]);
  assert.equal(readFileSync(join(path, 'progress.jsonl'), 'utf8'), '');
});

test('a second writer is refused while the folder is claimed', async () => {
  const path = join(root, 'claimed');
  const claim = await claimFolder(path, false);
  await assert.rejects(claimFolder(path, true), { code: 'FAILED_PRECONDITION' });
  await claim.release();
  assert.ok(!existsSync(path), 'a folder made for nothing is taken away');
});

test('resuming cuts lines and checkpoints behind the iteration, and a torn last line', async () => {
  const path = await runWith('cut', 5);
  const folder = await RunFolder.open(await claimFolder(path, true), { kind: 'resume', iteration: 5, from: path });
  await folder.writeCheckpoint(3, testPolicy());
  await folder.writeCheckpoint(5, testPolicy());
  await folder.close();
  writeFileSync(join(path, 'progress.jsonl'), '{"iteration":6', { flag: 'a' });
  const resumed = await RunFolder.open(await claimFolder(path, true), { kind: 'resume', iteration: 3, from: path });
  await resumed.close();
  const lines = readFileSync(join(path, 'progress.jsonl'), 'utf8').trim().split('\n');
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { iteration: number }).iteration),
    [1, 2, 3],
  );
  assert.deepEqual(
    readdirSync(path).filter((name) => name.startsWith('policy_')),
    ['policy_0.safetensors', 'policy_3.safetensors'],
  );
});

test('a run resumed into another folder takes its lines along and leaves the first folder as it is', async () => {
  const from = await runWith('origin', 4);
  const to = join(root, 'copy');
  const folder = await RunFolder.open(await claimFolder(to, false), { kind: 'resume', iteration: 2, from });
  await folder.close();
  assert.equal(readFileSync(join(to, 'progress.jsonl'), 'utf8').trim().split('\n').length, 2);
  assert.equal(readFileSync(join(from, 'progress.jsonl'), 'utf8').trim().split('\n').length, 4);
});

test('a run is resumed by its folder or by a checkpoint in it, with the learning numbers it is given', async () => {
  const path = await runWith('resumed', 1);
  for (const named of [path, join(path, 'policy_0.safetensors')]) {
    const { folder, iteration, checkpoint } = await findResumePoint(named);
    assert.deepEqual([folder, iteration], [path, 0]);
    const hyperParameters = { lr: 1e-2, ucbBeta: 0.5, uncertaintyCoef: 0.1, maxGradNorm: 1 };
    assert.deepEqual(Buffer.from(resumedPolicy(checkpoint, hyperParameters, 'hash')), Buffer.from(testPolicy()));
  }
  await assert.rejects(findResumePoint(join(root, 'absent')), /resume: there is no file or folder/);
  await assert.rejects(findResumePoint(root), /config\.json cannot be read/);
});

test('rewards of training prompts go along into another folder, and away with the run that is overwritten', async () => {
  const line = { key: 'k', id: '1', hash: 'h', prompt_tokens: 100, kept_all: false, full: 1, rewards: [0.5] };
  const path = await runWith('rows', 2);
  const opened = async (to: string, use: FolderUse) => RunFolder.open(await claimFolder(to, true), use);
  const first = await opened(path, { kind: 'resume', iteration: 2, from: path });
  await first.trainRewards.append(line);
  await first.close();
  const elsewhere = await opened(join(root, 'rows-elsewhere'), { kind: 'resume', iteration: 2, from: path });
  assert.deepEqual(elsewhere.trainRewards.read(), [line]);
  await elsewhere.close();
  const anew = await opened(path, { kind: 'overwrite' });
  assert.deepEqual(anew.trainRewards.read(), []);
  await anew.close();
});
