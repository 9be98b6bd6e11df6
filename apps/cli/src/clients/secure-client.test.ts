import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../bin/a2sf.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-secure-'));
const [cert, key, token] = ['cert.pem', 'key.pem', 'token'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test'.split(' ');
const made = spawnSync('openssl', [
  ...request,
  '-addext',
  'subjectAltName=DNS:localhost',
  '-keyout',
  key,
  '-out',
  cert,
]);
const skip = made.status === 0 ? false : 'no openssl command to make certificates with';

test(
  'a command reaches a service that wants a certificate and a token by its flags, or by its environment',
  { skip },
  async (t) => {
    writeFileSync(token, 'a-token-of-this-test\n');
    // One certificate that vouches for itself serves both ends.
    const tls = ['--tls_cert', cert, '--tls_key', key, '--tls_ca', cert];
    const ports = ['--port', '0', '--http_port', '0'];
    const service = spawn(
      process.execPath,
      [command, 'serve', 'generator', ...ports, ...tls, '--auth_token_file', token],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    t.after(() => {
      service.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    });
    const [line] = (await once(createInterface(service.stdout), 'line')) as [string];
    const address = `localhost:${(JSON.parse(line) as { port: number }).port}`;
    const generate = (flags: readonly string[], env: NodeJS.ProcessEnv = {}) => {
      const call = ['--address', address, '--prompt', 'Mara', '--max_new_tokens', '2', '--timeout_ms', '60000'];
      const options = { encoding: 'utf8', env: { ...process.env, ...env } } as const;
      const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'generate', ...call, ...flags], options);
      return { status, answered: stdout.trim() !== '', stderr };
    };
    const served = { status: 0, answered: true, stderr: '' };
    assert.deepEqual(generate([...tls, '--token_file', token]), served);
    const env = { A2SF_TLS_CERT: cert, A2SF_TLS_KEY: key, A2SF_TLS_CA: cert, A2SF_TOKEN_FILE: token };
    assert.deepEqual(generate([], env), served);
    const refused = (flags: readonly string[]): string => {
      const { status, answered, stderr } = generate(flags);
      assert.deepEqual([status, answered], [1, false]);
      return stderr;
    };
    assert.equal(refused(tls), 'a2sf: authorization: a bearer token is needed (--auth_token_file)\n');
    assert.match(refused(['--token_file', token]), /^a2sf: peer not reachable at localhost:\d+\n$/);
    assert.match(refused(['--tls_ca', cert, '--token_file', token]), /^a2sf: peer not reachable at localhost:\d+.*\n$/);
  },
);
