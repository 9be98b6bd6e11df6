import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { PolicyServiceClient, RewardServiceClient } from '@a2sf/contracts';
import type { A2sfError } from '@a2sf/errors';
import { createLogger } from '@a2sf/observability';
import { callServerStream, callUnary } from './calls.js';
import { Certificates, withoutOpenssl } from './certificates.fixture.js';
import { connect } from './channel.js';
import { ClientSecurity } from './client-security.js';
import {
  gate,
  type Loopback,
  policyService,
  refusal,
  rewardService,
  type RewardHandlers,
  startLoopback,
  until,
} from './loopback.fixture.js';
import type { ClientSecurityOptions } from './security-options.js';
import type { ServerOptions } from './server-options.js';
import type { TlsPaths } from './tls-files.js';
import { healthClient, waitUntilServing } from './wait-until-serving.js';

type Files = ReturnType<Certificates['issue']>;
const silent = createLogger({ name: 'test', level: 'silent' });
const quick = { tlsReloadSeconds: 0.05 };

function clientOptions(o: Partial<ClientSecurityOptions>): ClientSecurityOptions {
  return {
    tlsCert: undefined,
    tlsKey: undefined,
    tlsCa: undefined,
    tlsServerName: undefined,
    tokenFile: undefined,
    ...quick,
    ...o,
  };
}

describe('TLS', { skip: withoutOpenssl }, () => {
  const certificates = withoutOpenssl === false ? new Certificates() : undefined!;
  const opened: { close(): unknown }[] = [];
  let server: Files;
  let trainer: Files;
  let other: Files;

  before(() => {
    certificates.authority('ours');
    certificates.authority('theirs');
    server = certificates.issue('ours');
    trainer = certificates.issue('ours', { names: 'DNS:a2sf-trainer' });
    other = certificates.issue('ours', { names: 'DNS:someone,URI:spiffe://a2sf/else' });
  });
  after(() => certificates.remove());

  function security(o: Partial<ClientSecurityOptions>): ClientSecurity {
    const made = ClientSecurity.of(clientOptions(o), silent);
    if (made !== ClientSecurity.plaintext) opened.push(made);
    return made;
  }

  /** A policy that tells who may update, and a client with the given files; both are closed afterwards. */
  async function withServer(
    overrides: Partial<ServerOptions>,
    use: (call: (o: Partial<ClientSecurityOptions>) => Promise<unknown>, loopback: Loopback) => Promise<void>,
  ): Promise<void> {
    const loopback = await startLoopback(
      policyService({ Update: () => Promise.resolve({ policyVersion: '7' }) }),
      { ...quick, ...overrides },
      undefined,
      { methods: ['Update', 'ImportCheckpoint'], to: ['a2sf-trainer', 'spiffe://a2sf/trainer'], flag: 'trainers' },
    );
    const call = async (o: Partial<ClientSecurityOptions>): Promise<unknown> => {
      const client = connect(PolicyServiceClient, loopback.address, { security: security(o) });
      opened.push(client);
      return (await callUnary(client, 'getInfo', {}, { timeoutMs: 20_000 })).agent;
    };
    try {
      await use(call, loopback);
    } finally {
      for (const one of opened.splice(0)) one.close();
      await loopback.server.stop();
    }
  }

  async function unreachable(promise: Promise<unknown>): Promise<A2sfError> {
    const error = await refusal(promise);
    assert.deepEqual([error.code, error.reason], ['UNAVAILABLE', 'unreachable']);
    return error;
  }

  test('a client with a certificate of the same authority is served, over TLS', () =>
    withServer(server, async (call) => {
      assert.equal(await call(other), 'x');
    }));

  test('an expired certificate is refused, of a client and of a server', async () => {
    const expired = certificates.issue('ours', { days: -1 });
    await withServer(server, async (call) => {
      await unreachable(call(expired));
    });
    await withServer(expired, async (call, { log }) => {
      assert.match((await unreachable(call(other))).message, /certificate has expired/);
      assert.ok(log.some(({ msg }) => msg === '--tls_cert has expired'));
    });
  });

  test('a certificate of another authority is refused, of a client and of a server', async () => {
    const foreign = { ...certificates.issue('theirs'), tlsCa: server.tlsCa };
    await withServer(server, async (call) => {
      await unreachable(call(foreign));
    });
    await withServer(foreign, async (call) => {
      assert.match((await unreachable(call(other))).message, /unable to (get|verify)/);
    });
  });

  test('a server whose certificate has another name than its address is refused', () =>
    withServer(certificates.issue('ours', { names: 'DNS:elsewhere' }), async (call) => {
      assert.match((await unreachable(call(other))).message, /not match|not in the cert/i);
    }));

  test('--tls_server_name is the name that is checked in the place of the address', async () => {
    const elsewhere = certificates.issue('ours', { names: 'DNS:elsewhere' });
    await withServer(elsewhere, async (call) => {
      assert.equal(await call({ ...other, tlsServerName: 'elsewhere' }), 'x');
      await unreachable(call({ ...other, tlsServerName: 'else' }));
    });
    await withServer(server, async (call) => {
      const error = await unreachable(call({ ...other, tlsServerName: 'elsewhere' }));
      assert.match(error.message, /not match|not in the cert/i);
      assert.equal(await call({ ...other, tlsServerName: 'localhost' }), 'x');
      assert.match((await refusal(call({ tlsServerName: 'elsewhere' }))).message, /^--tls_server_name: .*--tls_ca$/);
    });
  });

  test('a client without a certificate is refused, at its connection or, where health checks may lack one, at its call', async () => {
    const anonymous = { tlsCa: server.tlsCa };
    await withServer(server, async (call, { address }) => {
      await unreachable(call(anonymous));
      const waiting = waitUntilServing(address, { timeoutMs: 300, security: security(anonymous) });
      assert.equal((await refusal(waiting)).reason, 'not-serving');
    });
    await withServer({ ...server, tlsClientAuth: 'request' }, async (call, { address }) => {
      const error = await refusal(call(anonymous));
      assert.deepEqual([error.code, error.reason], ['UNAUTHENTICATED', 'no-certificate']);
      const foreign = { ...certificates.issue('theirs'), tlsCa: server.tlsCa };
      assert.equal((await refusal(call(foreign))).reason, 'no-certificate');
      assert.equal(await call(other), 'x');
      await waitUntilServing(address, { timeoutMs: 10_000, security: security(anonymous) });
    });
    await withServer({ ...server, tlsClientAuth: 'none', tlsCa: undefined }, async (call, { address }) => {
      assert.equal(await call(anonymous), 'x');
      const client = connect(PolicyServiceClient, address, { security: security(anonymous) });
      opened.push(client);
      const error = await refusal(callUnary(client, 'update', {}));
      assert.deepEqual([error.code, error.reason], ['UNAUTHENTICATED', 'no-certificate']);
    });
  });

  test('plaintext does not reach a TLS port, nor TLS a plaintext port', async () => {
    await withServer(server, async (call) => {
      await unreachable(call({}));
    });
    await withServer({}, async (call) => {
      await unreachable(call(other));
      assert.equal(await call({}), 'x');
    });
  });

  test('methods of the trainer are for certificates with its name; a common name counts where there is no other', () =>
    withServer(server, async (_call, { address, log }) => {
      const update = async (files: Files): Promise<unknown> => {
        const client = connect(PolicyServiceClient, address, { security: security(files) });
        opened.push(client);
        return (await callUnary(client, 'update', {})).policyVersion;
      };
      const named = (names: string, commonName = 'test'): Files => certificates.issue('ours', { names, commonName });
      assert.equal(await update(trainer), '7');
      assert.equal(await update(named('URI:spiffe://a2sf/trainer')), '7');
      assert.equal(await update(named('', 'a2sf-trainer')), '7');
      const error = await refusal(update(other));
      assert.deepEqual([error.code, error.reason], ['PERMISSION_DENIED', 'not-allowed']);
      assert.equal(
        error.message,
        'Update is for a2sf-trainer, spiffe://a2sf/trainer (--trainers); the client is someone, spiffe://a2sf/else',
      );
      assert.equal((await refusal(update(named('DNS:someone', 'a2sf-trainer')))).reason, 'not-allowed');
      assert.equal((await refusal(update(named('DNS:a2sf-trainer.evil')))).reason, 'not-allowed');
      assert.equal((await refusal(update(named('IP:127.0.0.1,email:a2sf-trainer')))).reason, 'not-allowed');
      assert.ok(!log.some(({ level }) => level === 50));
    }));

  test('without TLS the methods of the trainer are open', () =>
    withServer({}, async (_call, { address }) => {
      const client = connect(PolicyServiceClient, address);
      opened.push(client);
      assert.equal((await callUnary(client, 'update', {})).policyVersion, '7');
    }));

  test('certificates and authority are renewed under load: no call fails, a stream goes on, the old ones are out', async () => {
    certificates.authority('next');
    const both = Buffer.concat(['ours', 'next'].map((name) => readFileSync(certificates.path(`${name}.crt`))));
    const files = certificates.copy(server);
    const mine = certificates.copy(other);
    const end = gate();
    const handlers: Partial<RewardHandlers> = {
      Score: async () => {
        await delay(20);
        return { scores: [1] };
      },
    };
    const loopback = await startLoopback(rewardService(handlers), { ...quick, ...files, maxConnectionAgeMs: 1000 });
    const watched = await startLoopback(
      policyService({
        WatchPolicy: async function* () {
          yield { policyVersion: '1' };
          await end.opened;
          yield { policyVersion: '2' };
        },
      }),
      { ...quick, ...files },
    );
    const shared = security(mine);
    const watcher = connect(PolicyServiceClient, watched.address, { security: shared });
    const client = connect(RewardServiceClient, loopback.address, { security: shared });
    let done = 0;
    const ended = new AbortController();
    const failures: unknown[] = [];
    const worker = async (): Promise<void> => {
      while (!ended.signal.aborted) {
        await callUnary(client, 'score', { items: [] }).then(
          () => done++,
          (error: unknown) => failures.push(error),
        );
      }
    };
    const load = Promise.all([worker(), worker(), worker(), worker()]);
    const more = (): Promise<void> => {
      const goal = done + 20;
      return until(() => done >= goal);
    };
    /** Asks with a connection of its own. */
    const asks = async (files: Files): Promise<unknown> => {
      const own = security(files);
      const fresh = connect(RewardServiceClient, loopback.address, { security: own });
      try {
        return (await callUnary(fresh, 'score', { items: [] })).scores;
      } finally {
        fresh.close();
        own.close();
      }
    };
    const accepted = async (files: Files): Promise<boolean> =>
      asks(files).then(
        () => true,
        () => false,
      );
    const stream = callServerStream(watcher, 'watchPolicy', {});
    try {
      assert.equal((await stream.next()).value!.policyVersion, '1');
      await more();
      const oldClient = certificates.copy(other);
      const newClient = certificates.issue('next', { names: 'DNS:someone' });
      // First both authorities everywhere, then the certificates, then the new authority alone.
      for (const path of [files.tlsCa, mine.tlsCa, oldClient.tlsCa]) certificates.write(path, both);
      await until(() => accepted({ ...newClient, tlsCa: files.tlsCa }));
      await more();
      const renewed = certificates.issue('next');
      // A key that comes after its certificate: what does not fit is not taken.
      certificates.write(files.tlsCert, readFileSync(renewed.tlsCert));
      await until(() => loopback.log.some(({ msg }) => msg === 'changed files are not taken; the last ones stay'));
      await more();
      certificates.write(files.tlsKey, readFileSync(renewed.tlsKey));
      certificates.write(mine.tlsKey, readFileSync(newClient.tlsKey));
      certificates.write(mine.tlsCert, readFileSync(newClient.tlsCert));
      await until(() => accepted(newClient)); // trusts the new authority alone: the server's certificate is the new one
      await more();
      const connections = async (): Promise<boolean> => !(await accepted(oldClient));
      await delay(200); // the client's own files are read by then: it must not present the old certificate any more
      certificates.write(files.tlsCa, readFileSync(newClient.tlsCa));
      await until(connections);
      const age = performance.now();
      // Longer than a connection lives: the load has gone over to connections that only new certificates open.
      await until(() => performance.now() - age > 2500);
      await more();
      end.open();
      assert.equal((await stream.next()).value!.policyVersion, '2');
    } finally {
      ended.abort();
      end.open();
      await load;
      await stream.return();
      for (const one of [client, watcher, shared, ...opened.splice(0)]) one.close();
      await Promise.all([loopback.server.stop(), watched.server.stop()]);
    }
    assert.deepEqual(failures, []);
  });

  test('no connection is taken up by a ticket of an earlier one: each shows its certificate', () =>
    withServer(server, async (_call, { port }) => {
      const [cert, key, ca] = [other.tlsCert, other.tlsKey, other.tlsCa].map((path) => readFileSync(path));
      const open = async (version: 'TLSv1.2' | 'TLSv1.3', session?: Buffer): Promise<TLSSocket> => {
        const options = { port, host: '127.0.0.1', cert, key, ca, ALPNProtocols: ['h2'], maxVersion: version };
        const socket = connectTls({ ...options, ...(session === undefined ? {} : { session }) });
        await once(socket, 'secureConnect');
        await once(socket, 'data'); // the server's settings; tickets of TLS 1.3 come ahead of them
        return socket;
      };
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const first = await open(version);
        const second = await open(version, first.getSession());
        assert.equal(second.isSessionReused(), false, version);
        first.destroy();
        second.destroy();
      }
    }));

  test('files that do not fit are refused at the start, with their flag', async () => {
    const problem = async (o: Partial<ServerOptions>): Promise<string> =>
      (await refusal(startLoopback(rewardService({}), o))).message;
    const garbage = certificates.write(certificates.path('garbage'), 'nothing');
    const { tlsCert, tlsKey, tlsCa } = server;
    assert.match(await problem({ tlsCert }), /^--tls_key, --tls_ca: TLS needs it, too$/);
    assert.match(await problem({ tlsCert, tlsKey }), /^--tls_ca: /);
    assert.match(await problem({ ...server, tlsKey: other.tlsKey }), /^--tls_key: .* is not the key of --tls_cert$/);
    assert.match(await problem({ ...server, tlsCert: garbage }), /^--tls_cert: .* holds no certificate in PEM$/);
    assert.match(await problem({ ...server, tlsKey: garbage }), /^--tls_key: .* holds no private key/);
    assert.match(await problem({ ...server, tlsCa: garbage }), /^--tls_ca: .* holds no certificate/);
    assert.match(await problem({ ...server, tlsCa: `${tlsCa}x` }), /^--tls_ca: cannot read .* \(ENOENT\)$/);
    const wrong = (o: TlsPaths): string => {
      try {
        security(o);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.match(wrong({ tlsCert }), /^--tls_cert, --tls_key: give both or none$/);
    assert.match(wrong({ tlsCert, tlsKey }), /^--tls_ca: /);
  });
});

describe('plaintext', () => {
  test('is spoken beyond loopback only when it is asked for', async () => {
    const error = await refusal(startLoopback(rewardService({}), { host: '0.0.0.0' }));
    assert.deepEqual([error.code, error.reason], ['INVALID_ARGUMENT', 'usage']);
    assert.match(error.message, /^--host: 0\.0\.0\.0 .*--tls_ca, or --insecure$/);
    const loopback = await startLoopback(rewardService({}), { host: '0.0.0.0', insecure: true });
    const client = healthClient(loopback.address);
    assert.equal((await callUnary(client, 'check', {})).status, 'SERVING');
    client.close();
    await loopback.server.stop();
  });
});
