import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveOptions } from '@a2sf/config';
import { PolicyServiceClient, type Embedding, type Experience, type PolicyServiceStub } from '@a2sf/contracts';
import { callClientStream, callServerStream, connect, type RunningServer } from '@a2sf/grpc-runtime';
import { createLogger } from '@a2sf/observability';
import { options } from './options.js';
import { testBytes, testContext, testEncoderId } from './policy.fixture.js';
import { givenNumbers, startPolicy } from './start.js';

/** A server and a client of it. */
export interface Started {
  readonly client: PolicyServiceStub;
  readonly server: RunningServer;
}

/** Servers of one test file, with a folder for what they keep and a checkpoint in it. */
export class PolicyServers {
  readonly folder = mkdtempSync(join(tmpdir(), 'a2sf-policy-'));
  readonly checkpoint = join(this.folder, 'policy_0.safetensors');
  readonly #started: Started[] = [];

  constructor(bytes = testBytes()) {
    writeFileSync(this.checkpoint, bytes);
  }

  async start(...argv: string[]): Promise<Started> {
    const ports = ['--port', '0', '--http_port', '0'];
    const resolution = resolveOptions({ name: 'test', description: '' }, options, [...ports, ...argv], {});
    const server = await startPolicy({
      values: resolution.values,
      given: givenNumbers(resolution),
      log: createLogger({ name: 'test', level: 'silent' }),
      onLost: (error) => assert.fail(error),
      process: false,
    });
    const started = { server, client: connect(PolicyServiceClient, `127.0.0.1:${server.port}`) };
    this.#started.push(started);
    return started;
  }

  async stop(): Promise<void> {
    for (const { client } of this.#started) client.close();
    await Promise.all(this.#started.map(({ server }) => server.stop()));
    rmSync(this.folder, { recursive: true });
  }
}

export function embeddingOf(seed: number, change: Embedding = {}): Embedding {
  return { values: [...testContext(seed)], tokens: 3, encoderId: testEncoderId, ...change };
}

export function experienceOf(id: string, seed: number, change: Experience = {}): Experience {
  return { id, embedding: embeddingOf(seed), actionIndex: 1, reward: 0.5, ...change };
}

export async function exportedBytes(client: PolicyServiceStub): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const { data } of callServerStream(client, 'exportCheckpoint', {})) chunks.push(data);
  return Buffer.concat(chunks);
}

export function importBytes(client: PolicyServiceStub, bytes: Uint8Array, challenger = false) {
  const middle = Math.floor(bytes.length / 2);
  const pieces = [{ data: bytes.subarray(0, middle), challenger }, { data: bytes.subarray(middle) }];
  return callClientStream(client, 'importCheckpoint', pieces);
}

/** The value of a series, by its name with its labels. */
export async function metricOf({ server }: Started, series: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${server.httpPort}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1),
  );
}
