import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GeneratorServiceClient, PolicyServiceClient } from '@a2sf/contracts';
import { callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { a2sf, runA2sf, startService, type RunningService } from '../processes.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-rolling-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const training = (folder: string, iterations: number): string[] => [
  'train',
  ...`--save_dir ${folder} --iterations ${iterations} --budget 64 --reward rouge_l --ucb_beta 0.02 --seed 7`.split(' '),
  ...'--episodes_per_update 2 --log_frequency 1 --eval_samples 4 --eval_frequency 10000 --http_port 0'.split(' '),
];

/** The lines of a run without the time they took. */
const progress = (folder: string): unknown[] =>
  existsSync(join(folder, 'progress.jsonl'))
    ? readFileSync(join(folder, 'progress.jsonl'), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => ({ ...(JSON.parse(line) as object), seconds: undefined }))
    : [];

/** How long a client of the suite waits for a server that restarts. */
const patience = { timeoutMs: 120_000, patienceMs: 120_000 };

// Sixteen processes start in it, which on a busy machine takes minutes.
const timeout = 900_000;

test(
  'every service is restarted in turn under training and under load: no episode is lost, no call fails',
  { timeout },
  async () => {
    const disturbed = join(scratch, 'disturbed');
    const services = new Map<
      string,
      { readonly start: (...flags: string[]) => Promise<RunningService>; now: RunningService }
    >();
    const add = async (label: string, name: string, ...flags: string[]): Promise<string> => {
      const start = (...more: string[]): Promise<RunningService> => startService(name, ...flags, ...more);
      const now = await start();
      services.set(label, { start, now });
      return now.address;
    };
    const encoder = await add('encoder', 'encoder');
    const generators = [await add('generator 1', 'generator'), await add('generator 2', 'generator')];
    const reward = await add('reward', 'reward');
    const learner = await add('learner', 'policy', '--encoder', encoder, '--state_dir', join(scratch, 'state'));
    const following = ['--role', 'replica', '--learner', learner];
    const replica = await add('replica', 'policy', '--encoder', encoder, ...following);

    const addresses = [
      '--encoder',
      encoder,
      '--generators',
      ...generators,
      '--reward_service',
      reward,
      '--policy',
      learner,
    ];
    const trainer = spawn(
      process.execPath,
      [a2sf, ...training(disturbed, 100_000), ...addresses, '--log_level', 'error'],
      {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    );
    let said = '';
    trainer.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
    const ended = once(trainer, 'close') as Promise<[number | null]>;
    const trained = async (more: number): Promise<void> => {
      for (const goal = progress(disturbed).length + more; progress(disturbed).length < goal; await sleep(20))
        assert.equal(trainer.exitCode, null, `the trainer ended: ${said}`);
    };

    const policies = [learner, replica].map((address) => connect(PolicyServiceClient, address));
    const generator = connect(GeneratorServiceClient, generators.join(','));
    const prompt = { text: 'Who lives in the house behind the garden? '.repeat(30) };
    const failures: unknown[] = [];
    const served = { actions: 0, texts: new Map<string, number>() };
    const done = new AbortController();
    const load = async (call: () => Promise<void>): Promise<void> => {
      while (!done.signal.aborted) {
        await call().catch((error: unknown) => failures.push(error));
        await sleep(250);
      }
    };
    const select = async (policy: (typeof policies)[number]): Promise<void> => {
      await callUnary(policy, 'selectAction', prompt, patience);
      served.actions++;
    };
    const generate = async (): Promise<void> => {
      const request = {
        prompt,
        compression: { action: { a: 10, b: 16 }, budget: 64 },
        maxNewTokens: 16,
        ignoreEos: true,
      };
      let text = '';
      for await (const message of callServerStream(generator, 'generate', request, patience)) text += message.text;
      served.texts.set(text, (served.texts.get(text) ?? 0) + 1);
    };

    try {
      await trained(1);
      await callUnary(policies[1]!, 'selectAction', prompt, patience);
      const loads = [...policies.map((policy) => load(() => select(policy))), load(generate)];
      try {
        for (const [label, service] of services) {
          await trained(1);
          const exit = once(service.now.process, 'exit') as Promise<[number | null]>;
          service.now.process.kill('SIGTERM');
          const [code] = await exit;
          assert.equal(code, 0, label);
          service.now = await service.start('--port', service.now.address.split(':')[1]!);
          const before = served.actions;
          while (served.actions < before + 2 && failures.length === 0) await sleep(20);
        }
        await trained(1);
      } finally {
        done.abort();
        await Promise.all(loads);
      }
      trainer.kill('SIGTERM');
      const [code] = await ended;
      assert.equal(said, '');
      assert.equal(code, 143);
      assert.deepEqual(failures, []);
      assert.equal(served.texts.size, 1, 'every text is the whole one');

      // As long a run of the same services, but for a policy that has seen nothing yet.
      const iterations = progress(disturbed).length;
      const undisturbed = join(scratch, 'undisturbed');
      const fresh = await add('fresh', 'policy');
      const again = await runA2sf([...training(undisturbed, iterations), ...addresses.slice(0, -1), fresh]);
      assert.equal(again.code, 0, again.stderr);
      assert.deepEqual(progress(disturbed), progress(undisturbed));
      const policy = (folder: string): Buffer => readFileSync(join(folder, `policy_${iterations}.safetensors`));
      assert.ok(policy(disturbed).equals(policy(undisturbed)), 'the last checkpoints are equal byte for byte');
    } finally {
      trainer.kill('SIGKILL');
      for (const client of [...policies, generator]) client.close();
      for (const { now } of services.values()) await now.stop();
    }
  },
);
