import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { RewardServiceClient } from '@a2sf/contracts';
import { createLogger } from '@a2sf/observability';
import fc from 'fast-check';
import { TokenSet } from './bearer-tokens.js';
import { callUnary } from './calls.js';
import { connect } from './channel.js';
import { ClientSecurity } from './client-security.js';
import { refusal, rewardService, startLoopback, until } from './loopback.fixture.js';
import { waitUntilServing } from './wait-until-serving.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-tokens-'));
after(() => rmSync(folder, { recursive: true }));
const [first, second, third] = ['first-token-of-a-test', 'second-token-of-a-test', 'third-token-of-a-test'] as const;
const log = createLogger({ name: 'test', level: 'silent' });

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
  return path;
}

function security(tokenFile: string): ClientSecurity {
  const none = { tlsServerName: undefined, tlsCert: undefined, tlsKey: undefined, tlsCa: undefined };
  return ClientSecurity.of({ ...none, tokenFile, tlsReloadSeconds: 0.05 }, log);
}

describe('a bearer token', () => {
  test('is needed where a server has a file of them; health checks go without; both ends read their files again', async () => {
    const authTokenFile = write('accepted', `# a comment\n${first}\n\n${second}\r\n`);
    const loopback = await startLoopback(rewardService({}), { authTokenFile, tlsReloadSeconds: 0.05 });
    const { address } = loopback;
    const mine = write('mine', `${second}\n`);
    const own = security(mine);
    const client = connect(RewardServiceClient, address, { security: own });
    const stranger = connect(RewardServiceClient, address);
    const guesser = connect(RewardServiceClient, address, { security: security(write('wrong', third)) });
    const ask = (with_: typeof client): Promise<unknown> => callUnary(with_, 'listMetrics', {});
    try {
      await ask(client);
      const [missing, wrong] = [await refusal(ask(stranger)), await refusal(ask(guesser))];
      for (const { code, reason, field } of [missing, wrong]) {
        assert.deepEqual([code, reason, field], ['UNAUTHENTICATED', 'bad-token', 'authorization']);
      }
      assert.deepEqual(
        [missing.message, wrong.message],
        [
          'authorization: a bearer token is needed (--auth_token_file)',
          'authorization: the bearer token is not known here',
        ],
      );
      await waitUntilServing(address, { timeoutMs: 10_000 });

      write('accepted', `${third}\n`);
      await until(() =>
        ask(client).then(
          () => false,
          () => true,
        ),
      );
      await ask(guesser);
      write('mine', third);
      await until(() =>
        ask(client).then(
          () => true,
          () => false,
        ),
      );

      // A file without a token would lock everybody out, or let everybody in: it is not taken.
      write('accepted', '# none\n');
      await until(() => loopback.log.some(({ msg }) => msg === 'changed files are not taken; the last ones stay'));
      await ask(client);
      assert.equal((await refusal(ask(stranger))).reason, 'bad-token');
      assert.ok(!JSON.stringify(loopback.log).includes('-token-of-a-test'), 'no token in the log');
    } finally {
      for (const one of [client, stranger, guesser, own]) one.close();
      await loopback.server.stop();
    }
  });

  test('is not sent in plaintext beyond this machine', () => {
    const own = security(write('mine', first));
    const to = (address: string): void => connect(RewardServiceClient, address, { security: own }).close();
    for (const far of ['10.0.0.1:50053', 'dns:///reward:50053', '127.0.0.1:1,10.0.0.1:1', 'localhost.evil:1']) {
      assert.throws(
        () => to(far),
        { code: 'FAILED_PRECONDITION', reason: 'token-in-plaintext', field: 'token_file' },
        far,
      );
    }
    for (const near of ['127.0.0.1:1', 'localhost:1', 'dns:///localhost:1', 'unix:/tmp/x', '[::1]:1']) to(near);
    own.close();
  });

  test('that is short, or no token, is refused with its line, and not shown', () => {
    for (const [content, problem] of [
      ['short', /line 1 is no token/],
      [`${first}\nwith blanks in its middle`, /line 2 is no token/],
      ['\n# only\n', /must hold 1 to 1024 tokens/],
    ] as const) {
      assert.throws(
        () => security(write('bad', content)),
        (error: Error) => problem.test(error.message) && !error.message.includes(content),
      );
    }
  });
});

test('a set of tokens has exactly its own', () => {
  const token = fc.string({ minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.uniqueArray(token, { maxLength: 8 }), token, (tokens, probe) => {
      const set = new TokenSet(tokens);
      assert.equal(set.has(probe), tokens.includes(probe));
      for (const one of tokens) assert.ok(set.has(one));
    }),
  );
});
