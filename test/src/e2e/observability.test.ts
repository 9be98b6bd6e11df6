import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { a2sf, startService, type RunningService } from '../processes.js';

const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const names = ['encoder', 'generator', 'reward', 'policy'] as const;
const fullNames = {
  encoder: 'a2sf.encoder.v1.EncoderService',
  generator: 'a2sf.generator.v1.GeneratorService',
  reward: 'a2sf.reward.v1.RewardService',
  policy: 'a2sf.policy.v1.PolicyService',
} as const;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

describe('a running suite, seen from outside', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'a2sf-observe-'));
  const services = new Map<string, RunningService>();
  const trainerPort = freePort();
  let trainer: ReturnType<typeof spawn>;
  before(async () => {
    for (const name of names) services.set(name, await startService(name));
    const address = (name: string): string => services.get(name)!.address;
    const flags = [
      `--save_dir ${scratch}/run --budget 64 --reward rouge_l --http_port ${await trainerPort}`,
      '--iterations 100000 --episodes_per_update 2 --eval_samples 4',
      `--encoder ${address('encoder')} --generators ${address('generator')}`,
      `--reward_service ${address('reward')} --policy ${address('policy')}`,
    ].flatMap((line) => line.split(' '));
    trainer = spawn(process.execPath, [a2sf, 'train', ...flags], { stdio: 'ignore' });
    // Until the first update is through, so that every metric has something to tell.
    while (!/^a2sf_policy_updates_total [1-9]/m.test(await text(`${services.get('policy')!.http}/metrics`)))
      await sleep(100);
  });
  after(async () => {
    const exit = once(trainer, 'exit');
    trainer.kill('SIGTERM');
    await exit;
    for (const service of services.values()) await service.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  const targets = async (): Promise<string[]> => [
    ...names.map((name) => services.get(name)!.http),
    `http://127.0.0.1:${await trainerPort}`,
  ];
  const text = async (url: string): Promise<string> => (await fetch(url)).text();

  test(
    'promtool finds nothing to complain about in the metrics of all five',
    { skip: !has('promtool') && 'no promtool' },
    async () => {
      for (const target of await targets()) {
        const check = spawnSync('promtool', ['check', 'metrics'], {
          input: await text(`${target}/metrics`),
          encoding: 'utf8',
        });
        assert.equal(check.stderr + check.stdout, '', target);
        assert.equal(check.status, 0);
      }
    },
  );

  test('a Prometheus server scrapes all five', { skip: !has('prometheus') && 'no prometheus' }, async () => {
    const port = await freePort();
    const hosts = (await targets()).map((target) => `'${new URL(target).host}'`).join(', ');
    writeFileSync(
      join(scratch, 'prometheus.yml'),
      `global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: a2sf\n    static_configs: [{targets: [${hosts}]}]\n`,
    );
    const flags = [`--config.file=${scratch}/prometheus.yml`, `--storage.tsdb.path=${scratch}/tsdb`];
    const prometheus = spawn('prometheus', [...flags, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
    const query = async (expression: string): Promise<string[]> => {
      const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`;
      try {
        const answer = (await (await fetch(url)).json()) as { data: { result: { value: [number, string] }[] } };
        return answer.data.result.map(({ value }) => value[1]);
      } catch {
        return []; // not up yet
      }
    };
    try {
      while ((await query('up')).filter((value) => value === '1').length < 5) await sleep(200);
      assert.deepEqual(await query('count(up == 1)'), ['5']);
      for (const metric of ['a2sf_trainer_iteration', 'a2sf_generator_tokens_total', 'grpc_server_handled_total']) {
        assert.notEqual((await query(metric)).length, 0, metric);
      }
    } finally {
      const exit = once(prometheus, 'exit');
      prometheus.kill();
      await exit;
    }
  });

  test('health and readiness are told over HTTP', async () => {
    for (const target of await targets()) {
      for (const path of ['/healthz', '/readyz']) assert.equal((await fetch(target + path)).status, 200, target + path);
    }
  });

  test(
    'grpcurl lists, describes and calls every service by reflection',
    { skip: !has('grpcurl') && 'no grpcurl' },
    () => {
      const grpcurl = (...args: string[]): string => {
        const run = spawnSync('grpcurl', ['-plaintext', ...args], { encoding: 'utf8' });
        assert.equal(run.status, 0, run.stderr);
        return run.stdout;
      };
      const calls = {
        encoder: ['Encode', '{"inputs": [{"text": "hello"}]}', '"encoderId"'],
        generator: ['Generate', '{"prompt": {"text": "hello"}, "maxNewTokens": 2}', 'promptTokens'],
        reward: ['Score', '{"items": [{"metric": "rouge_l", "prediction": "a b", "references": ["a b"]}]}', '1'],
        policy: ['GetInfo', '{}', '"policyVersion"'],
      } as const;
      for (const name of names) {
        const { address } = services.get(name)!;
        const full = fullNames[name];
        assert.ok(grpcurl(address, 'list').split('\n').includes(full));
        assert.ok(grpcurl(address, 'list').includes('grpc.health.v1.Health'));
        assert.match(grpcurl(address, 'describe', full), new RegExp(`rpc ${calls[name][0]}`));
        assert.ok(grpcurl('-d', calls[name][1], address, `${full}/${calls[name][0]}`).includes(calls[name][2]));
        assert.match(grpcurl('-d', `{"service": "${full}"}`, address, 'grpc.health.v1.Health/Check'), /SERVING/);
      }
    },
  );
});
