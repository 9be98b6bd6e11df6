import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ClientSecurity } from '@a2sf/grpc-runtime';
import { ChildService } from './child-service.js';
import type { ServiceName } from './service-runtime.js';
import { checkPeers, checkSecurity, type DoctorPeers } from './doctor-peers.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-doctor-'));
const started: ChildService[] = [];
after(async () => {
  await Promise.all(started.map((service) => service.stop()));
  rmSync(folder, { recursive: true });
});

async function start(name: ServiceName, ...flags: string[]): Promise<string> {
  const service = new ChildService(name, ['--log_level', 'error', ...flags], () => undefined);
  started.push(service);
  return service.address(new AbortController().signal);
}

const nobody: DoctorPeers = { generators: [], encoder: undefined, rewardService: undefined, policy: undefined };
const ask = (peers: Partial<DoctorPeers>) => checkPeers({ ...nobody, ...peers }, ClientSecurity.plaintext);
const fixture = (name: string) => fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url));

test('services that run tell what they are, and where they do not fit together', async () => {
  const [generator, other, encoder, policy] = await Promise.all([
    start('generator', '--threads', '1'),
    start('generator', '--threads', '1', '--model_name', fixture('lm-llama')),
    start('encoder', '--threads', '1'),
    start('policy'),
  ]);
  const fitting = await ask({ generators: [generator], encoder, policy });
  assert.deepEqual(
    fitting.map(({ check, verdict }) => [check, verdict]),
    [
      ['generator', 'ok'],
      ['encoder', 'ok'],
      ['policy', 'ok'],
    ],
  );
  assert.match(fitting[0]!.message, /: tiny-a2sf-llm@\w+ on cpu, float32, prompts of at most \d+ tokens$/);
  assert.match(fitting[1]!.message, /: tiny-a2sf-encoder@\w+ of dimension 128 on cpu$/);
  assert.match(fitting[2]!.message, /: learner without a checkpoint$/);

  const different = await ask({ generators: [generator, other] });
  assert.deepEqual([different.at(-1)?.check, different.at(-1)?.verdict], ['models', 'problem']);
  assert.match(different.at(-1)!.message, /tiny-a2sf-llm@\w+, lm-llama@\w+$/);

  const [mistaken] = await ask({ encoder: policy });
  assert.equal(mistaken?.verdict, 'problem');
  assert.match(mistaken.message, /serves, but is no encoder/);
  assert.match(mistaken.fix ?? '', /--encoder$/);
});

test('an address where nobody serves, or that is none, is a problem under its flag', async () => {
  const [absent, malformed] = await ask({ rewardService: '127.0.0.1:1', policy: 'nonsense' });
  assert.deepEqual([absent?.check, absent?.verdict], ['reward', 'problem']);
  assert.match(absent?.message ?? '', /^127\.0\.0\.1:1 is not serving/);
  assert.match(absent?.fix ?? '', /a2sf serve reward.*--reward_service/);
  assert.deepEqual([malformed?.check, malformed?.verdict], ['policy', 'problem']);
  assert.match(malformed?.message ?? '', /"nonsense" is not host:port/);
});

const tls = {
  tlsServerName: undefined,
  tlsCert: undefined,
  tlsKey: undefined,
  tlsCa: undefined,
  tlsReloadSeconds: 10,
  tokenFile: undefined,
};
const withoutOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'no openssl command';

test('a certificate is told with its end, one that ends soon is a warning', { skip: withoutOpenssl }, () => {
  const made = (days: number): { tlsCert: string; tlsKey: string; tlsCa: string } => {
    const [tlsKey, tlsCert] = [join(folder, `${days}.key`), join(folder, `${days}.crt`)];
    const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test'.split(' ');
    spawnSync('openssl', [...request, '-days', String(days), '-keyout', tlsKey, '-out', tlsCert]);
    return { tlsCert, tlsKey, tlsCa: tlsCert };
  };
  const verdictsOf = (days: number) => checkSecurity({ ...tls, ...made(days) }).findings.map(({ verdict }) => verdict);
  assert.deepEqual(verdictsOf(90), ['ok', 'ok']);
  assert.deepEqual(verdictsOf(2), ['warning', 'warning']);
  const mixed = { ...tls, ...made(3), tlsKey: made(4).tlsKey };
  const { findings, security } = checkSecurity(mixed);
  assert.deepEqual([findings.map(({ verdict }) => verdict), security], [['problem'], undefined]);
  assert.match(findings[0]!.message, /is not the key of --tls_cert$/);
});

test('TLS files that lack or hold something else are a problem, flags that lack each other wrong usage', () => {
  const file = join(folder, 'text');
  writeFileSync(file, 'no certificate\n');
  for (const tlsCa of [file, join(folder, 'absent')]) {
    const { findings, security } = checkSecurity({ ...tls, tlsCa });
    assert.deepEqual(
      [findings.map(({ check, verdict }) => [check, verdict]), security],
      [[['tls', 'problem']], undefined],
    );
  }
  assert.throws(() => checkSecurity({ ...tls, tlsCert: file }), { reason: 'usage' });
  assert.deepEqual(checkSecurity(tls).findings, []);
});
