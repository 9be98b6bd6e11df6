import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EncoderServiceClient, PolicyServiceClient, RewardServiceClient } from '@a2sf/contracts';
import { isA2sfError } from '@a2sf/errors';
import { callUnary, connect } from '@a2sf/grpc-runtime';
import { residentBytes, startService, type RunningService } from '../processes.js';
import { contextOf, experienceOf, smallPolicy } from './small-policy.js';
import { TcpProxy } from './tcp-proxy.js';

const seconds = Number(process.env['A2SF_SOAK_SECONDS'] ?? 0);
const allowedGrowth = 48 * 2 ** 20;

const openFiles = ({ process: { pid } }: RunningService): number => readdirSync(`/proc/${pid}/fd`).length;

/** The sum of the series of a metric. */
async function total({ http }: RunningService, name: string): Promise<number> {
  const text = await (await fetch(`${http}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return values.reduce((sum, match) => sum + Number(match[1]), 0);
}

test(
  'under mixed load and faults every few seconds memory and descriptors do not grow, and the counters balance',
  { skip: seconds === 0 && 'A2SF_SOAK_SECONDS is not set', timeout: 1000 * seconds + 120_000 },
  async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'a2sf-soak-'));
    const checkpoint = join(folder, 'policy_0.safetensors');
    writeFileSync(checkpoint, smallPolicy());
    const logs = ['--state_dir', join(folder, 'state'), '--decision_log', join(folder, 'decisions.jsonl')];
    const services = await Promise.all([
      startService('encoder', '--threads', '1', '--max_queue', '8'),
      startService('policy', '--checkpoint', checkpoint, ...logs, '--decision_log_bytes', '65536'),
      startService('reward', '--max_concurrent_calls', '8'),
    ]);
    const proxies = await Promise.all(services.map(({ address }) => TcpProxy.to(address)));
    const encoder = connect(EncoderServiceClient, proxies[0]!.address);
    const policy = connect(PolicyServiceClient, proxies[1]!.address);
    const reward = connect(RewardServiceClient, proxies[2]!.address);
    const end = performance.now() + 1000 * seconds;
    const going = (): boolean => performance.now() < end;
    const outcomes = new Map<string, number>();
    let updates = 0;

    /** One call, given up at random; false when it failed. */
    const attempt = async (call: (signal: AbortSignal) => Promise<unknown>, leaves = 0.05): Promise<boolean> => {
      const signal =
        Math.random() < leaves ? AbortSignal.timeout(Math.floor(Math.random() * 20)) : AbortSignal.timeout(30_000);
      const outcome = await call(signal).then(
        () => 'OK',
        (error: unknown) => (isA2sfError(error) ? error.code : String(error)),
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      return outcome === 'OK';
    };
    const encoding = async (worker: number): Promise<void> => {
      for (let n = 0; going(); n++) {
        const text = `worker ${worker} says ${n} `.repeat(1 + (n % 40));
        await attempt((signal) => callUnary(encoder, 'encode', { inputs: [{ text }] }, { signal }));
        await sleep(20);
      }
    };
    const scoring = async (worker: number): Promise<void> => {
      for (let n = 0; going(); n++) {
        const items = [
          { metric: n % 9 === 0 ? 'nonsense' : 'rouge_l', prediction: `a ${n}`, references: [`a ${worker}`] },
        ];
        await attempt((signal) => callUnary(reward, 'score', { items }, { signal }));
        await sleep(5);
      }
    };
    const learning = async (worker: number): Promise<void> => {
      for (let n = 0; going(); n++) {
        await attempt((signal) =>
          callUnary(policy, 'selectAction', { embedding: contextOf(n), explore: true }, { signal }),
        );
        if (n % 5 !== 0) continue;
        const update = { updateId: `${worker}/${n}`, experiences: [experienceOf(n, `${worker}/`)] };
        while (!(await attempt((signal) => callUnary(policy, 'update', update, { signal })))) await sleep(50);
        updates++;
        await sleep(5);
      }
    };
    const faults = async (): Promise<void> => {
      for (let n = 0; going(); n++) {
        await sleep(2000 + Math.random() * 2000);
        const service = services[n % 3]!;
        const proxy = proxies[n % 3]!;
        if (n % 4 < 2) proxy.cut();
        else if (n % 4 === 2) {
          proxy.swallowAnswers();
          await sleep(300);
          proxy.cut();
        } else {
          service.process.kill('SIGSTOP');
          await sleep(500);
          service.process.kill('SIGCONT');
        }
      }
    };

    const files: number[] = [];
    const memory: number[] = [];
    const warm = async (): Promise<void> => {
      await sleep(1000 * seconds * 0.4);
      for (const service of services) {
        memory.push(residentBytes(service));
        files.push(openFiles(service));
      }
    };
    try {
      await Promise.all([warm(), faults(), ...[0, 1].flatMap((n) => [encoding(n), scoring(n), learning(n)])]);
      const grown = services.map((service, i) => residentBytes(service) - memory[i]!);
      context.diagnostic(`growth in MiB: ${grown.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(', ')}`);
      context.diagnostic(
        `outcomes: ${[...outcomes].map(([code, n]) => `${code} ${n}`).join(', ')}; updates ${updates}`,
      );
      for (const [i, service] of services.entries()) {
        while ((await total(service, 'grpc_server_in_flight_calls')) > 0) await sleep(50);
        assert.equal(
          await total(service, 'grpc_server_started_total'),
          await total(service, 'grpc_server_handled_total'),
          'every call has one end',
        );
        assert.ok(openFiles(service) <= files[i]! + 10, `${openFiles(service)} descriptors after ${files[i]}`);
        assert.ok(grown[i]! < allowedGrowth, `service ${i} grew by ${grown[i]} bytes`);
      }
      assert.equal(await total(services[1], 'a2sf_policy_updates_total'), updates, 'each update was applied once');
    } finally {
      for (const client of [encoder, policy, reward]) client.close();
      for (const proxy of proxies) await proxy.close();
      await Promise.all(services.map((service) => service.stop()));
      rmSync(folder, { recursive: true });
    }
    assert.deepEqual(
      services.map(({ process: { exitCode } }) => exitCode),
      [0, 0, 0],
    );
  },
);
