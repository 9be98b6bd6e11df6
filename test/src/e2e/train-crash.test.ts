import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodePolicyCheckpoint, encodePolicyCheckpoint } from '@a2sf/run-store';
import { a2sf, runA2sf, startService, type RunningService } from '../processes.js';

/** `A2SF_CRASH_TEST=all`: ten kills of each run, from each number of generators, with both feedbacks; some minutes. */
const all = process.env['A2SF_CRASH_TEST'] === 'all';
const iterations = all ? 24 : 6;
const generatorCounts = [1, 2, 4];
const scratch = mkdtempSync(join(tmpdir(), 'a2sf-train-crash-'));
const running = new Set<ChildProcess>();
let services: RunningService[] = [];

before(async () => {
  const generators = Array.from({ length: 4 }, () => startService('generator', '--threads', '1'));
  services = await Promise.all([...['encoder', 'reward'].map((name) => startService(name)), ...generators]);
});
after(async () => {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(services.map((service) => service.stop()));
  rmSync(scratch, { recursive: true, force: true });
});

/** The services that a run drives. */
function addresses(policy: RunningService, generators: number): string[] {
  const [encoder, reward, ...rest] = services.map(({ address }) => address) as [string, string, ...string[]];
  const used = rest.slice(0, generators);
  return ['--encoder', encoder, '--reward_service', reward, '--policy', policy.address, '--generators', ...used];
}

function beginning(folder: string, feedback: string): string[] {
  const what = '--budget 64 --reward rouge_l --seed 7 --eval_samples 8 --log_frequency 1 --http_port 0';
  const space = '--a_values 0 10 --b_values 1 16 64'; // few actions: small checkpoints, so that many kills take little time
  const when = `--iterations ${iterations} --episodes_per_update 4 --eval_frequency 4 --checkpoint_frequency 2`;
  const flags = [
    ...what.split(' '),
    ...space.split(' '),
    ...when.split(' '),
    '--feedback',
    feedback,
    '--save_dir',
    folder,
    '--overwrite',
  ];
  return ['train', ...flags];
}

const going = (folder: string): string[] => ['train', '--resume', folder, '--http_port', '0'];

async function killed(child: ChildProcess): Promise<void> {
  const ended = child.exitCode !== null || child.signalCode !== null ? undefined : once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function lines(folder: string, name: string): Record<string, unknown>[] {
  if (!existsSync(join(folder, name))) return [];
  const whole = readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Numbers in 0..1 that follow from a text. */
function uniformFrom(seed: string): () => number {
  let drawn = 0;
  return () => createHash('sha256').update(`${seed} ${drawn++}`).digest().readUInt32LE(0) / 2 ** 32;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * All that a run leaves of what it computed: records without the time they took, rewards in the order of their prompts. A
 * policy that outlives its trainer goes on counting its versions, so that this number alone says what happened.
 */
function results(folder: string, outlived: boolean): unknown {
  const withoutTimes = (name: string) => lines(folder, name).map((line) => ({ ...line, seconds: undefined }));
  const rewards = (name: string) => lines(folder, name).sort((x, y) => (x['index'] as number) - (y['index'] as number));
  const bytes = readFileSync(join(folder, `policy_${iterations}.safetensors`));
  const { checkpoint } = decodePolicyCheckpoint(bytes);
  return {
    progress: withoutTimes('progress.jsonl'),
    evaluation: withoutTimes('evaluation.jsonl'),
    trained: rewards('train_rewards.jsonl'),
    evaluated: rewards('evaluation_rewards.jsonl'),
    policy: sha256(outlived ? encodePolicyCheckpoint({ ...checkpoint, policyVersion: 0 }) : bytes),
  };
}

async function undisturbed(feedback: string, generators: number): Promise<string> {
  const folder = join(scratch, `${feedback}-${generators}`);
  const policy = await startService('policy');
  const { code, stderr } = await runA2sf([...beginning(folder, feedback), ...addresses(policy, generators)]);
  await policy.stop();
  assert.equal(code, 0, stderr);
  return folder;
}

/**
 * Kills a run and, unless it outlives it, its policy at random moments, each somewhere after so many iterations, and has it
 * go on with other numbers of generators. A moment that would come after its end comes two iterations before it.
 */
async function disturbed(folder: string, feedback: string, first: number, kills: number, outlives: boolean) {
  const uniform = uniformFrom(`${feedback} ${first} ${kills} ${outlives}`);
  const moments = Array.from({ length: kills }, () => uniform() * (iterations - 2)).sort((x, y) => x - y);
  let policy = await startService('policy');
  for (const [k, moment] of moments.entries()) {
    const generators = generatorCounts[(generatorCounts.indexOf(first) + k) % 3]!;
    const begun = existsSync(folder) && readdirSync(folder).some((name) => /^policy_\d+\.safetensors$/.test(name));
    const argv = [...(begun ? going(folder) : beginning(folder, feedback)), ...addresses(policy, generators)];
    const child = spawn(process.execPath, [a2sf, ...argv], { stdio: 'ignore' });
    running.add(child);
    const done = () => lines(folder, 'progress.jsonl').length;
    while (done() < moment && child.exitCode === null) await sleep(2);
    const until = Date.now() + uniform() * (k % 2 === 0 ? 50 : 1500); // soon after an iteration, or anywhere in a start
    while (Date.now() < until && done() < iterations - 2 && child.exitCode === null) await sleep(2);
    assert.equal(child.exitCode, null, `it ended before kill ${k + 1} of ${kills}`);
    await killed(child);
    running.delete(child);
    if (outlives) continue;
    await killed(policy.process);
    policy = await startService('policy');
  }
  const { code, stderr } = await runA2sf([...going(folder), ...addresses(policy, generatorCounts[first % 3]!)]);
  await policy.stop();
  assert.equal(code, 0, stderr);
}

describe('whatever the number of generators and however often it was killed, a run leaves the same bytes', () => {
  for (const feedback of all ? ['bandit', 'full'] : ['bandit']) {
    const references = new Map<boolean, unknown>();
    test(`${feedback}: undisturbed, with ${(all ? generatorCounts : [4]).join(', ')} generators`, async () => {
      for (const generators of all ? generatorCounts : [4]) {
        const folder = await undisturbed(feedback, generators);
        for (const outlived of [false, true]) {
          const own = results(folder, outlived);
          if (!references.has(outlived)) references.set(outlived, own);
          assert.deepEqual(own, references.get(outlived), `${generators} generators`);
        }
      }
    });
    for (const first of all ? generatorCounts : [2]) {
      for (const outlives of all ? [false, true] : [false]) {
        const fate = outlives ? 'outlives it' : 'dies too';
        test(`${feedback}: killed and resumed, from ${first} generators on; its policy ${fate}`, async () => {
          const folder = join(scratch, `${feedback}-${first}-${outlives}`);
          await disturbed(folder, feedback, first, all ? 10 : 2, outlives);
          assert.deepEqual(results(folder, outlives), references.get(outlives));
        });
      }
    }
  }
});
