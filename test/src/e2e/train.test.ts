import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildStore } from '@a2sf/reward-store';
import { TcpProxy } from '../faults/tcp-proxy.js';
import { a2sf, freePort, runA2sf, startService, type RunningService } from '../processes.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-train-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const flags = (folder: string): string[] =>
  [
    `--save_dir ${folder} --budget 64 --reward rouge_l --ucb_beta 0.02 --seed 7 --http_port 0`,
    '--iterations 6 --episodes_per_update 4 --log_frequency 1',
    '--eval_samples 12 --eval_frequency 3 --checkpoint_frequency 2',
  ].flatMap((line) => line.split(' '));

type Line = Record<string, unknown> & { iteration: number };

const lines = (folder: string, name: string): Line[] =>
  existsSync(join(folder, name))
    ? readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Line)
    : [];

/** What must be equal in two runs: everything but the time it took. */
const withoutTimes = (rows: Line[]): unknown[] =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !/second|_ms|time|_at$/.test(name))));

const pidsOf = (folder: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`A2SF_E2E_MARK=${folder}`);
    } catch {
      return false;
    }
  });

/** A store of 20 prompts and two actions, whose rewards are told by the number of the prompt. */
async function writeStore(folder: string): Promise<void> {
  const reward = { name: 'rouge_l', encoder_id: '', code_version: '0' };
  const prompts = Array.from({ length: 20 }, (_, i) => ({
    id: `${i}`,
    dataset: i % 2 === 0 ? 'even' : 'odd',
    text: `${i}`,
    hash: createHash('sha256').update(`${i}`).digest('hex'),
    answers: [],
    allClasses: [],
    wrap: 'PROMPT_WRAP_UNSPECIFIED' as const,
  }));
  const identities = { code_version: '0', model_id: 'model', dtype: 'float32', encoder_id: 'encoder' };
  const data = { data: [], prompts: prompts.length, prompts_sha256: '' };
  const limits = { budget: 64, recent: 0, max_new_tokens: 16, max_prompt_tokens: 0 };
  const space = { actions: 'all' as const, a_values: [10], b_values: [8, 16] };
  await buildStore({
    folder,
    definition: {
      provenance: { ...identities, embedding_dimension: 2, ...data, ...limits, ...space },
      rewards: [reward],
    },
    prompts,
    rewards: [{ ...reward, needsLogProbs: false, fullEarnsOne: true, task: (_prompt, { text }) => text }],
    window: 4,
    peers: {
      encode: ([text]) => Promise.resolve([{ values: [Number(text) % 2, 1], encoderId: 'encoder' }]),
      sweep: ({ text, actions }) =>
        Promise.resolve({
          full: { text: 'full', logProbs: [] },
          texts: actions.map(({ b }) => ({ text: String(Number(text) % 2 === 0 ? b / 16 : 0.5), logProbs: [] })),
          promptTokens: 100,
        }),
      score: (texts) => Promise.resolve(texts.map(Number)),
    },
  });
}

describe('a2sf train on the embedded models', () => {
  const whole = join(scratch, 'whole');

  test('a run leaves progress, evaluations with all baselines, checkpoints and a table', async () => {
    const { code, stdout, stderr } = await runA2sf(['train', ...flags(whole)]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      lines(whole, 'progress.jsonl').map((line) => line.iteration),
      [1, 2, 3, 4, 5, 6],
    );
    for (const { avg_reward: reward, prediction_loss: loss } of lines(whole, 'progress.jsonl')) {
      assert.ok(typeof reward === 'number' && reward >= 0 && reward <= 1);
      assert.ok(typeof loss === 'number' && Number.isFinite(loss));
    }
    const last = lines(whole, 'evaluation.jsonl').at(-1)!;
    assert.equal(last.iteration, 6);
    const baselines = last['baselines'] as Record<string, { mean: number; low: number; high: number }>;
    const names = [
      'best_fixed',
      'full',
      'h2o',
      'oracle',
      'random',
      'snapkv_16',
      'snapkv_32',
      'snapkv_64',
      'streaming_llm',
    ];
    assert.deepEqual(Object.keys(baselines).sort(), names);
    for (const { mean, low, high } of Object.values(baselines)) assert.ok(low <= mean && mean <= high);
    const mean = (name: string): number => baselines[name]!.mean;
    assert.equal(mean('full'), 1);
    for (const name of ['random', 'h2o', 'snapkv_16', 'best_fixed']) assert.ok(mean(name) <= mean('oracle'));
    assert.ok(mean('h2o') <= mean('best_fixed') && mean('snapkv_16') <= mean('best_fixed'));
    assert.ok((last['eval_avg_reward'] as number) <= mean('oracle'));
    assert.ok(existsSync(join(whole, 'policy_6.safetensors')));
    for (const word of ['policy', 'oracle', 'best fixed', 'SnapKV', 'H2O', 'random', 'full'])
      assert.ok(stdout.includes(word), word);
  });

  test('the same run into a folder that holds one is refused', async () => {
    const { code, stderr } = await runA2sf(['train', ...flags(whole)]);
    assert.notEqual(code, 0);
    assert.match(stderr, /--resume|--overwrite/);
    assert.equal(stderr.trim().split('\n').length, 1);
  });

  test('killed in the middle of an iteration and resumed, it ends as if it had never been stopped', async () => {
    const killed = join(scratch, 'killed');
    const env = { ...process.env, A2SF_E2E_MARK: killed };
    const child = spawn(process.execPath, [a2sf, 'train', ...flags(killed)], { stdio: 'ignore', env });
    const exit = once(child, 'exit');
    while (lines(killed, 'progress.jsonl').length < 3 && child.exitCode === null) await sleep(5);
    child.kill('SIGKILL');
    const [, signal] = (await exit) as [number | null, string | null];
    assert.equal(signal, 'SIGKILL');
    assert.equal(existsSync(join(killed, 'policy_6.safetensors')), false, 'it was killed before its end');
    while (pidsOf(killed).length > 0) await sleep(50); // the services notice that their parent is gone
    const { code, stderr } = await runA2sf(['train', '--resume', killed, '--http_port', '0']);
    assert.equal(code, 0, stderr);
    for (const name of ['progress.jsonl', 'evaluation.jsonl']) {
      assert.deepEqual(withoutTimes(lines(killed, name)), withoutTimes(lines(whole, name)), name);
    }
    const policy = (folder: string): Buffer => readFileSync(join(folder, 'policy_6.safetensors'));
    assert.ok(policy(killed).equals(policy(whole)), 'the final checkpoints are equal byte for byte');
  });

  test('stopped by SIGINT it saves the last complete iteration, ends with 130, and goes on to the same end', async () => {
    const stopped = join(scratch, 'stopped');
    const child = spawn(process.execPath, [a2sf, 'train', ...flags(stopped)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const exit = once(child, 'exit');
    while (lines(stopped, 'progress.jsonl').length < 1 && child.exitCode === null) await sleep(5);
    child.kill('SIGINT');
    assert.deepEqual(await exit, [130, null]);
    const last = lines(stopped, 'progress.jsonl').at(-1)!.iteration;
    assert.ok(last < 6 && existsSync(join(stopped, `policy_${last}.safetensors`)), `iteration ${last}`);
    assert.match(stdout, new RegExp(`stopped behind iteration ${last}; go on with: a2sf train --resume`));
    const { code, stderr } = await runA2sf(['train', '--resume', stopped, '--http_port', '0']);
    assert.equal(code, 0, stderr);
    const policy = (folder: string): Buffer => readFileSync(join(folder, 'policy_6.safetensors'));
    assert.ok(policy(stopped).equals(policy(whole)), 'the final checkpoints are equal byte for byte');
    const { option_sources: sources } = JSON.parse(readFileSync(join(stopped, 'config.json'), 'utf8')) as {
      option_sources: Record<string, string>;
    };
    assert.deepEqual([sources['seed'], sources['lr']], ['flag', 'default']);
  });

  test('evaluate scores the texts of a checkpoint against the answers, beside the baselines, and keeps what it found', async () => {
    const args = ['evaluate', '--checkpoint', whole, '--eval_samples', '4', '--budgets', '32', '64'];
    const first = await runA2sf(args);
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stdout,
      /^neural-ucb of policy_6\.safetensors, greedy; score 0 to 100: the dataset's own metric/,
    );
    assert.match(
      first.stdout,
      /^ +prompts +full +policy +random +streaming-llm +h2o +snapkv 16 .* best fixed +oracle$/m,
    );
    assert.match(first.stdout, /^all +4( +\d+\.\d){10}$/m);
    assert.match(first.stdout, /^budget +prompts +full +policy /m);
    const found = lines(whole, 'quality/results.jsonl');
    assert.deepEqual(
      found.map(({ iteration, budget, metric }) => [iteration, budget, metric]),
      [
        [6, 32, 'dataset'],
        [6, 64, 'dataset'],
      ],
    );
    const mean = (line: Line, name: string) => (line['baselines'] as Record<string, { mean: number }>)[name]!.mean;
    for (const line of found) {
      for (const name of ['random', 'h2o', 'snapkv_16', 'best_fixed'])
        assert.ok(mean(line, name) <= mean(line, 'oracle'));
      assert.ok((line['eval_avg_reward'] as number) <= mean(line, 'oracle'));
    }
    assert.match(readFileSync(join(whole, 'report.html'), 'utf8'), /Quality of the texts/);
    const rows = lines(whole, 'quality/rewards.jsonl');
    assert.equal(rows.length, 8);
    // Another checkpoint earns from the same rows; that of the embedded rows takes the run's own budget.
    const other = ['evaluate', '--checkpoint', join(whole, 'policy_4.safetensors'), '--eval_samples', '4', '--json'];
    const second = await runA2sf(other);
    assert.equal(second.code, 0, second.stderr);
    const [line, ...more] = JSON.parse(second.stdout) as Line[];
    assert.deepEqual([line!.iteration, line!['budget'], more.length], [4, 64, 0]);
    assert.equal(mean(line!, 'full'), mean(found[1]!, 'full'));
    assert.deepEqual(lines(whole, 'quality/rewards.jsonl'), rows);
  });

  test('with full feedback, killed and resumed with two generators, it ends as if it had never been stopped', async () => {
    const [undisturbed, killed] = [join(scratch, 'full'), join(scratch, 'full-killed')];
    const full = (folder: string): string[] => ['train', ...flags(folder), '--feedback', 'full'];
    const { code, stderr } = await runA2sf(full(undisturbed));
    assert.equal(code, 0, stderr);
    const child = spawn(process.execPath, [a2sf, ...full(killed)], {
      stdio: 'ignore',
      env: { ...process.env, A2SF_E2E_MARK: killed },
    });
    const exit = once(child, 'exit');
    while (lines(killed, 'progress.jsonl').length < 3 && child.exitCode === null) await sleep(5);
    child.kill('SIGKILL');
    await exit;
    while (pidsOf(killed).length > 0) await sleep(50);
    const swept = lines(killed, 'train_rewards.jsonl').length;
    assert.ok(swept >= 12, 'the rows of what it visited are in its folder');
    const resumed = await runA2sf([
      'train',
      '--resume',
      killed,
      '--http_port',
      '0',
      '--device',
      'cpu',
      '--gpus',
      '0',
      '1',
    ]);
    assert.equal(resumed.code, 0, resumed.stderr);
    for (const name of ['progress.jsonl', 'evaluation.jsonl']) {
      assert.deepEqual(withoutTimes(lines(killed, name)), withoutTimes(lines(undisturbed, name)), name);
    }
    assert.ok(lines(undisturbed, 'progress.jsonl').every(({ regret }) => typeof regret === 'number' && regret >= 0));
    const rows = lines(killed, 'train_rewards.jsonl').map(({ hash }) => hash);
    assert.equal(new Set(rows).size, rows.length, 'no prompt was swept twice');
    const policy = (folder: string): Buffer => readFileSync(join(folder, 'policy_6.safetensors'));
    assert.ok(policy(killed).equals(policy(undisturbed)), 'the final checkpoints are equal byte for byte');
  });

  test('from a store it needs a policy alone; flags that the store decides are refused', async () => {
    const store = join(scratch, 'store');
    await writeStore(store);
    const policy = await startService('policy');
    const folder = join(scratch, 'from-store');
    const own = '--iterations 4 --episodes_per_update 8 --eval_frequency 2 --seed 7 --http_port 0'.split(' ');
    const offline = ['train', '--from_store', store, '--save_dir', folder, ...own, '--policy', policy.address];
    const wrong = await runA2sf([...offline, '--budget', '99']);
    assert.deepEqual([wrong.code, existsSync(folder)], [2, false], wrong.stderr);
    assert.match(wrong.stderr, /--budget.*--from_store/);
    const { code, stderr, stdout } = await runA2sf([...offline, '--reward', 'rouge_l', '--feedback', 'full']);
    await policy.stop();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /task table of train/);
    assert.match(stdout, /best checkpoint: policy_\d\.safetensors/);
    assert.ok(existsSync(join(folder, 'policy_4.safetensors')));
    assert.ok(lines(folder, 'evaluation_rewards.jsonl').length > 0);
  });

  test('two generators give the same policy as one', async () => {
    const two = join(scratch, 'two');
    const { code, stderr } = await runA2sf(['train', ...flags(two), '--device', 'cpu', '--gpus', '0', '1']);
    assert.equal(code, 0, stderr);
    const tensors = (folder: string): unknown => withoutTimes(lines(folder, 'progress.jsonl'));
    assert.deepEqual(tensors(two), tensors(whole));
  });

  test('with addresses it starts nothing, and waits for services that are killed or restarted as if nothing had been', async () => {
    const names = ['encoder', 'generator', 'reward', 'policy'] as const;
    type Name = (typeof names)[number];
    const start = (name: Name): Promise<RunningService> =>
      startService(name, ...(name === 'policy' ? ['--state_dir', join(scratch, 'state')] : []));
    const services = new Map<Name, RunningService>();
    const proxies = new Map<Name, TcpProxy>();
    await Promise.all(
      names.map(async (name) => {
        const service = await start(name);
        services.set(name, service);
        proxies.set(name, await TcpProxy.to(service.address));
      }),
    );
    const revive = async (name: Name): Promise<void> => {
      const service = await start(name);
      services.set(name, service);
      proxies.get(name)!.target = service.address;
    };
    const [encoder, generator, reward, policy] = names.map((name) => proxies.get(name)!.address);
    const driven = join(scratch, 'driven');
    const addresses = `--encoder ${encoder} --generators ${generator} --reward_service ${reward} --policy ${policy}`;
    const port = await freePort();
    const own = [...flags(driven), ...addresses.split(' '), '--http_port', String(port)];
    const child = spawn(process.execPath, [a2sf, 'train', ...own], { stdio: ['ignore', 'pipe', 'pipe'] });
    const exit = once(child, 'exit');
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const status = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    const reached = async (count: number): Promise<void> => {
      while (lines(driven, 'progress.jsonl').length < count) {
        assert.equal(child.exitCode, null, output);
        await sleep(5);
      }
    };
    try {
      await reached(1);
      // The only generator is killed: the run is alive and not ready until there is one again.
      services.get('generator')!.process.kill('SIGKILL');
      while ((await status('/readyz')) === 200) await sleep(5);
      assert.equal(await status('/healthz'), 200);
      await revive('generator');
      await reached(2);
      // Encoder and reward take the same path as the policy; they cost two processes more.
      const others: Name[] = process.env['A2SF_LONG_TESTS'] === '1' ? ['policy', 'encoder', 'reward'] : ['policy'];
      await Promise.all(
        others.map((name) =>
          services
            .get(name)!
            .stop()
            .then(() => revive(name)),
        ),
      );
      assert.deepEqual(await exit, [0, null], output);
    } finally {
      child.kill('SIGKILL');
      for (const proxy of proxies.values()) await proxy.close();
      await Promise.all([...services.values()].map((service) => service.stop()));
    }
    assert.match(output, /a service is away; it is waited for/);
    assert.deepEqual(withoutTimes(lines(driven, 'progress.jsonl')), withoutTimes(lines(whole, 'progress.jsonl')));
  });
});
