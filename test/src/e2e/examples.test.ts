import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { root } from '../conformance/workspace.js';
import { runA2sf, startService, type RunningService } from '../processes.js';

const has = (command: string, ...args: string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('the examples, with the services and the policy that they are described with', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'a2sf-examples-'));
  const services = new Map<string, RunningService>();
  before(async () => {
    // A policy of one iteration; its choice is another than that of the documented one, and all else the same.
    const config = ['--config', join(root, 'examples/run.json'), '--http_port', '0', '--overwrite'];
    const short = ['--iterations', '1', '--eval_samples', '2', '--save_dir', join(scratch, 'run')];
    const { code, stderr } = await runA2sf(['train', ...config, ...short]);
    assert.equal(code, 0, stderr);
    for (const name of ['encoder', 'generator', 'reward']) services.set(name, await startService(name));
    const checkpoint = join(scratch, 'run/policy_1.safetensors');
    const flags = ['--checkpoint', checkpoint, '--encoder', services.get('encoder')!.address];
    services.set('policy', await startService('policy', ...flags));
  });
  after(async () => {
    for (const service of services.values()) await service.stop();
    rmSync(scratch, { recursive: true, force: true });
  });
  const address = (name: string): string => services.get(name)!.address;

  /** Runs a program from the root, as the documents say, to its end. */
  async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 0, `${command} ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** What a client must print: what its README shows, but for the choice and what follows from it. */
  function assertPrinted(output: string, readme: string): void {
    const shown = /```text\n([^]*?)```/.exec(read(readme))![1]!;
    const bare = (text: string): string =>
      text
        .replace(/a=[\d.]+ b=\d+, predicted reward -?[\d.]+/, 'a= b=, predicted reward')
        .replace(/(?<=compressed cache:\n).*/, 'a text');
    assert.equal(bare(output), bare(shown));
  }

  test('the Node client prints what its README shows', async () => {
    const addresses = ['--policy', address('policy'), '--generator', address('generator')];
    const output = await run('node', [
      'examples/node/client.mjs',
      ...addresses,
      '--prompt_file',
      'examples/prompt.txt',
    ]);
    assertPrinted(output, 'examples/node/README.md');
  });

  test(
    'the Python client prints what its README shows',
    { skip: !has('python3', '-c', 'import grpc, grpc_tools') && 'no grpcio and grpcio-tools for python3' },
    async () => {
      const folder = join(scratch, 'python');
      cpSync(join(root, 'examples/python'), folder, { recursive: true });
      const out = [`--python_out=${folder}`, `--grpc_python_out=${folder}`];
      await run('bash', ['-c', `python3 -m grpc_tools.protoc -I protos ${out.join(' ')} protos/a2sf/*/v1/*.proto`]);
      const addresses = ['encoder', 'policy', 'generator'].flatMap((name) => [`--${name}`, address(name)]);
      const prompt = ['--prompt_file', 'examples/prompt.txt'];
      const output = await run('python3', [join(folder, 'client.py'), ...addresses, ...prompt]);
      assertPrinted(output, 'examples/python/README.md');
    },
  );

  test(
    'every command of grpcurl.md is answered',
    { skip: !['grpcurl', 'jq', 'curl'].every((tool) => has(tool, '--version')) && 'no grpcurl, jq or curl' },
    async () => {
      const blocks = [...read('examples/grpcurl.md').matchAll(/```sh\n([^]*?)```/g)].map(([, code]) => code!);
      const commands = blocks.flatMap((code) => code.trim().split('\n'));
      const ports = { 50051: 'encoder', 50052: 'generator', 50053: 'reward', 50054: 'policy' };
      const adapted = (command: string): string =>
        Object.entries(ports)
          .reduce((text, [port, name]) => text.replace(`127.0.0.1:${port}`, address(name)), command)
          .replace('127.0.0.1:9467', services.get('policy')!.http.replace('http://', ''));
      assert.ok(commands.length > 10);
      for (const command of commands) {
        // The one that ends by Ctrl-C, and the one that is to be refused.
        if (command.includes('WatchPolicy')) {
          const limited = adapted(command).replace('grpcurl', 'grpcurl -max-time 3');
          assert.match(await run('bash', ['-c', `${limited} || true`]), /policyVersion/);
        } else if (command.includes('-v ')) {
          const refusal = await run('bash', ['-c', `${adapted(command)} 2>&1 || true`]);
          assert.match(refusal, /a2sf-reason: /);
        } else {
          assert.notEqual(await run('bash', ['-c', `set -o pipefail; ${adapted(command)}`]), '', command);
        }
      }
    },
  );
});
