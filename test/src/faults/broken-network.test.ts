import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PolicyServiceClient } from '@a2sf/contracts';
import { callUnary, channelOptions, ClientSecurity, connect } from '@a2sf/grpc-runtime';
import { GrpcPolicy } from '@a2sf/training';
import { sampleOf, startService, type RunningService } from '../processes.js';
import { contextOf, experienceOf, smallPolicy } from './small-policy.js';
import { TcpProxy } from './tcp-proxy.js';

const scratch = mkdtempSync(join(tmpdir(), 'a2sf-network-'));
const checkpoint = join(scratch, 'policy_0.safetensors');
const update = (name: string) => ({ updateId: name, experiences: [experienceOf(1, name), experienceOf(2, name)] });

describe('a policy service behind a network that breaks', () => {
  let service: RunningService;
  let proxy: TcpProxy;
  before(async () => {
    writeFileSync(checkpoint, smallPolicy());
    service = await startService('policy', '--checkpoint', checkpoint);
    proxy = await TcpProxy.to(service.address);
  });
  after(async () => {
    await proxy.close();
    await service.stop();
    rmSync(scratch, { recursive: true });
  });

  test('an update whose answer was lost is sent again and applied once', async () => {
    const client = connect(PolicyServiceClient, proxy.address);
    const { policyVersion: before } = await callUnary(client, 'getInfo', {});
    proxy.swallowAnswers();
    const answer = callUnary(client, 'update', update('lost'), { timeoutMs: 60_000 });
    while ((await sampleOf(service, 'a2sf_policy_updates_total')) === 0) await sleep(5);
    proxy.cut();
    const { policyVersion, skipped } = await answer;
    assert.equal(BigInt(policyVersion), BigInt(before) + 1n);
    assert.equal(skipped, 0);
    assert.equal(await sampleOf(service, 'a2sf_policy_updates_total'), 1);
    client.close();
  });

  test('a connection on which nothing arrives any more is given up, and the call is made on a new one', async () => {
    const own = channelOptions();
    assert.ok(Number(own['grpc.keepalive_time_ms']) <= 30_000 && Number(own['grpc.keepalive_timeout_ms']) <= 10_000);
    const { credentials } = ClientSecurity.plaintext;
    const client = new PolicyServiceClient(proxy.address, credentials, {
      ...own,
      'grpc.keepalive_time_ms': 200,
      'grpc.keepalive_timeout_ms': 200,
    });
    await callUnary(client, 'getInfo', {});
    proxy.blackHole();
    const { action } = await callUnary(client, 'selectAction', { embedding: contextOf(1) }, { timeoutMs: 60_000 });
    assert.ok(action !== null);
    client.close();
  });
});

test('a policy that is started again goes on with its state, and one that lost it is noticed and not learned on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'a2sf-restart-'));
  const file = join(folder, 'policy_0.safetensors');
  writeFileSync(file, smallPolicy());
  const state = ['--state_dir', join(folder, 'state')];
  const start = (...flags: string[]): Promise<RunningService> => startService('policy', '--checkpoint', file, ...flags);
  const kill = async (service: RunningService): Promise<void> => {
    service.process.kill('SIGKILL');
    await service.stop();
  };
  let service = await start(...state);
  const proxy = await TcpProxy.to(service.address);
  const policy = new GrpcPolicy(proxy.address, {}, { patienceMs: 60_000 });
  const embedding = contextOf(1);
  const learn = (n: number) => policy.update(`u${n}`, [experienceOf(n)]);
  try {
    await policy.importCheckpoint(smallPolicy());
    await policy.selectActions([embedding], { explore: true });
    await kill(service);
    const learning = learn(1); // waits for the service
    service = await start(...state);
    proxy.target = service.address;
    assert.equal((await learning).skipped, 0);
    const { policyVersion } = await policy.describePolicy();
    await policy.selectActions([embedding], { explore: true });
    await kill(service);
    service = await start();
    proxy.target = service.address;
    assert.ok(BigInt((await policy.describePolicy()).policyVersion) < BigInt(policyVersion));
    const wentBack = { code: 'FAILED_PRECONDITION', reason: 'policy-went-back' };
    await assert.rejects(policy.selectActions([embedding], { explore: true }), wentBack);
    await assert.rejects(learn(2), wentBack);
    await assert.rejects(policy.exportCheckpoint(2), wentBack);
  } finally {
    policy.close();
    await proxy.close();
    await service.stop();
    rmSync(folder, { recursive: true });
  }
});
