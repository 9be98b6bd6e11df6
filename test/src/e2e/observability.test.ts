import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GeneratorServiceClient, PolicyServiceClient } from '@a2sf/contracts';
import { callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { root } from '../conformance/workspace.js';
import { ownQueries, rules, type Query } from '../k8s/dashboards.js';
import { a2sf, startService, type RunningService } from '../processes.js';
import { freePort, startPrometheus, type RunningPrometheus } from '../prometheus.js';

const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const names = ['encoder', 'generator', 'reward', 'policy'] as const;
const fullNames = {
  encoder: 'a2sf.encoder.v1.EncoderService',
  generator: 'a2sf.generator.v1.GeneratorService',
  reward: 'a2sf.reward.v1.RewardService',
  policy: 'a2sf.policy.v1.PolicyService',
} as const;

/** What one machine's Prometheus is started with. */
const shipped = 'k8s/observability/compose/prometheus.yml';
/** Stands for Grafana's `$__rate_interval`: four scrapes. */
const rateInterval = '4s';
/** How long a query may have no data before it is taken for wrong. */
const patienceMs = 60_000;
/** Clients that only want actions and texts have nothing scored. */
const onlyScoring = 'a2sf_reward_score_seconds';

function replaced(text: string, what: string, by: string): string {
  assert.ok(text.includes(what), what);
  return text.replaceAll(what, by);
}

describe('a running suite, seen from outside', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'a2sf-observe-'));
  const services = new Map<string, RunningService>();
  const trainerPort = freePort();
  let trainer: ReturnType<typeof spawn>;
  before(async () => {
    const address = (name: string): string => services.get(name)!.address;
    for (const name of names) {
      const flags = name === 'policy' ? ['--encoder', address('encoder')] : [];
      services.set(name, await startService(name, ...flags));
    }
    const flags = [
      `--save_dir ${scratch}/run --budget 64 --reward rouge_l --http_port ${await trainerPort}`,
      '--iterations 100000 --episodes_per_update 2 --eval_samples 4 --eval_frequency 5 --checkpoint_frequency 5',
      `--encoder ${address('encoder')} --generators ${address('generator')}`,
      `--reward_service ${address('reward')} --policy ${address('policy')}`,
    ].flatMap((line) => line.split(' '));
    trainer = spawn(process.execPath, [a2sf, 'train', ...flags], { stdio: 'ignore' });
    // Until the first update is through, so that every metric has something to tell.
    while (!/^a2sf_policy_updates_total [1-9]/m.test(await text(`${services.get('policy')!.http}/metrics`)))
      await sleep(100);
  });
  const stopTrainer = async (): Promise<void> => {
    if (trainer.exitCode !== null) return;
    const exit = once(trainer, 'exit');
    trainer.kill('SIGTERM');
    await exit;
  };
  after(async () => {
    await stopTrainer();
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

  describe(
    'by a Prometheus server with the shipped configuration',
    { skip: !has('prometheus') && 'no prometheus' },
    () => {
      let prometheus: RunningPrometheus;
      before(async () => {
        const hosts = (await targets()).map((target) => new URL(target).host);
        // Of a machine's own: the addresses, where the rules lie, and no patience.
        const config = ['encoder:9464', 'generator:9465', 'reward:9466', 'policy:9467', 'trainer:9468']
          .reduce((text, host, i) => replaced(text, host, hosts[i]!), readFileSync(join(root, shipped), 'utf8'))
          .replaceAll(/_interval: \d+s/g, '_interval: 1s');
        prometheus = await startPrometheus(
          join(scratch, 'prometheus'),
          replaced(config, '/tmp/rules.yaml', 'rules.yaml'),
          rules,
        );
      });
      after(() => prometheus.stop());

      /** Those of some queries that never gave a number. */
      const withoutData = async (queries: readonly Query[]): Promise<string[]> => {
        const end = performance.now() + patienceMs;
        let missing = queries;
        while (missing.length > 0 && performance.now() < end) {
          const answered = await Promise.all(
            missing.map(({ expr }) => prometheus.query(expr.replaceAll('$__rate_interval', rateInterval))),
          );
          missing = missing.filter((_, i) => !answered[i]!.some((value) => Number.isFinite(value)));
          await sleep(200);
        }
        return missing.map(({ where, expr }) => `${where}: ${expr}`);
      };

      test('it scrapes all five processes, and understands every rule', async () => {
        while ((await prometheus.query('up == 1')).length < 5) await sleep(200);
        let loaded = await prometheus.rules();
        for (
          ;
          loaded.length === 0 || loaded.some(({ health }) => health === 'unknown');
          loaded = await prometheus.rules()
        )
          await sleep(200);
        assert.deepEqual(
          loaded.map(({ name }) => name),
          [...rules.matchAll(/- alert: (\w+)$/gm)].map(([, name]) => name),
        );
        for (const { name, health, lastError } of loaded) assert.equal(health, 'ok', `${name}: ${lastError}`);
      });

      test('every query of every dashboard has data during a training run', async () => {
        assert.ok(ownQueries().length > 40);
        assert.deepEqual(await withoutData(ownQueries()), []);
      });

      test('every query about serving has data while clients ask for actions and texts, and no training runs', async () => {
        await stopTrainer();
        const { address } = services.get('policy')!;
        const policy = connect(PolicyServiceClient, address);
        const generator = connect(GeneratorServiceClient, services.get('generator')!.address);
        const done = new AbortController();
        const traffic = (async () => {
          for (let i = 0; !done.signal.aborted; i++) {
            const text = `Who lives in house ${i}? `.repeat(40);
            const { action } = await callUnary(policy, 'selectAction', { text, explore: true });
            const compression = { action: action!, budget: 64 };
            for await (const _ of callServerStream(generator, 'generate', {
              prompt: { text },
              compression,
              maxNewTokens: 4,
            }));
            await sleep(20);
          }
        })();
        try {
          // What the training left behind is out of every window by then.
          const scored = 'sum(increase(a2sf_reward_score_seconds_count[5s]))';
          while ((await prometheus.query(scored))[0] !== 0) await sleep(200);
          const queries = ownQueries(['decisions', 'generators', 'grpc']).filter(
            ({ expr }) => !expr.includes(onlyScoring),
          );
          assert.deepEqual(await withoutData(queries), []);
        } finally {
          done.abort();
          await traffic;
          for (const client of [policy, generator]) client.close();
        }
      });
    },
  );
});
