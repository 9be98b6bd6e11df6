import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EncoderServiceClient } from '@a2sf/contracts';
import { callUnary, connect, waitUntilServing } from '@a2sf/grpc-runtime';

const main = fileURLToPath(new URL('main.js', import.meta.url));
const fails = (...flags: string[]): { status: number | null; stderr: string } => {
  const { status, stderr } = spawnSync(process.execPath, [main, '--log_level', 'silent', ...flags], {
    encoding: 'utf8',
  });
  return { status, stderr };
};

describe('the encoder process', () => {
  test('announces its ports, serves, and ends with 0 at SIGTERM', async () => {
    const child = spawn(process.execPath, [main, '--port', '0', '--http_port', '0', '--log_level', 'silent'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { service, port } = JSON.parse(line) as { service: string; port: number };
    assert.equal(service, 'encoder');
    await waitUntilServing(`127.0.0.1:${port}`, { timeoutMs: 10_000 });
    const client = connect(EncoderServiceClient, `127.0.0.1:${port}`);
    assert.equal((await callUnary(client, 'encode', { inputs: [{ text: 'Mara' }] })).embeddings.length, 1);
    client.close();
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });

  test('keeps tables of texts up to --table_bytes, as /metrics tells', async () => {
    const kept = async (...flags: string[]): Promise<number> => {
      const ports = ['--port', '0', '--http_port', '0', '--log_level', 'silent'];
      const child = spawn(process.execPath, [main, ...ports, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
      const { port, httpPort } = JSON.parse(line) as { port: number; httpPort: number };
      await waitUntilServing(`127.0.0.1:${port}`, { timeoutMs: 10_000 });
      const client = connect(EncoderServiceClient, `127.0.0.1:${port}`);
      for (const text of ['Mara '.repeat(300), 'Mara']) await callUnary(client, 'encode', { inputs: [{ text }] });
      client.close();
      const page = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      return Number(/^a2sf_encoder_table_bytes (\d+)$/m.exec(page)?.[1]);
    };
    const [all, bounded, none] = [
      await kept(),
      await kept('--table_bytes', '1500000'),
      await kept('--table_bytes', '0'),
    ];
    assert.ok(all > 1.5e6 && bounded <= 1.5e6);
    // What the last text needs is there in any case: features of 512 rows, twice 64 numbers each, of four filters.
    assert.ok(none >= 4 * 2 * 512 * 64 * 4 && none < 1.5e6);
  });

  test('ends with one line for a model that cannot be served', () => {
    for (const [name, told] of [
      ['/nowhere/at/all', /^a2sf-encoder: --model_name: there is no folder .*\n$/],
      ['../x', /^a2sf-encoder: --model_name: must not hold "\.\.".*\n$/],
      ['owner/unknown', /^a2sf-encoder: --model_name: owner\/unknown is not in the Hugging Face cache.*\n$/],
      [
        fileURLToPath(new URL('../../../models/tiny-a2sf/llm', import.meta.url)),
        /not a known text encoder; known: m2-bert.*\n$/,
      ],
    ] as const) {
      const { status, stderr } = fails('--offline', '--model_name', name);
      assert.equal(status, 1);
      assert.match(stderr, told);
    }
  });

  test('ends with the remedy for a device it has no encoder for', () => {
    for (const device of ['cuda', 'cuda:1', 'webgpu']) {
      const { status, stderr } = fails('--device', device);
      assert.equal(status, 1);
      assert.match(stderr, /^a2sf-encoder: --device: .*use --device cpu\n$/);
    }
    assert.equal(fails('--device', 'abacus').status, 2);
  });
});
