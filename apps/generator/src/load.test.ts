import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { resolveOptions } from '@a2sf/config';
import { GeneratorServiceClient, type GeneratorServiceStub } from '@a2sf/contracts';
import { isA2sfError } from '@a2sf/errors';
import { callServerStream, callUnary, connect, serve, type RunningServer } from '@a2sf/grpc-runtime';
import { LanguageModelHost } from '@a2sf/inference';
import { resolveModelFolder } from '@a2sf/model-zoo';
import { createLogger, Metrics } from '@a2sf/observability';
import { generatorMetrics } from './metrics.js';
import { options } from './options.js';
import { generatorService } from './service.js';

// The whole service over gRPC on loopback, with the embedded model.
const flags = ['--port', '0', '--http_port', '0', '--max_queue', '8'];
const { values } = resolveOptions({ name: 'generator', description: 'test' }, options, flags, {});
const log = createLogger({
  name: 'generator',
  level: 'fatal',
  stream: new Writable({ write: (_c, _e, done) => done() }),
});
const prompt = { tokenIds: { ids: Array.from({ length: 1500 }, (_, i) => 5 + (i % 90)) } };
const sweep = { prompt, budget: 32, maxNewTokens: 2, ignoreEos: true, actions: [{ a: 10, b: 16 }] };

describe('a generator under load', () => {
  const metrics = new Metrics({ processMetrics: false });
  const slots = { inUse: 0 };
  let model: LanguageModelHost;
  let server: RunningServer;
  let client: GeneratorServiceStub;
  let other: GeneratorServiceStub;

  before(async () => {
    const { folder, name } = resolveModelFolder(undefined, 'llm');
    model = await LanguageModelHost.start(
      { folder, name, threads: 1 },
      { maxQueue: values.maxQueue, onStatus: (inUse) => (slots.inUse = inUse as number) },
    );
    server = await serve({
      name: 'generator',
      service: generatorService(model, { maxNewTokens: 512, maxPromptBytes: 1 << 20 }, generatorMetrics(metrics)),
      options: values,
      metrics,
      log,
      onStop: () => model.dispose(),
      process: false,
    });
    server.setReady(true);
    const address = `127.0.0.1:${server.port}`;
    client = connect(GeneratorServiceClient, address);
    // Another spelling of the address has a connection of its own, as another process has.
    other = connect(GeneratorServiceClient, `ipv4:${address}`);
  });
  after(async () => {
    client.close();
    other.close();
    await server.stop();
  });

  const prefills = async (): Promise<number> => {
    const text = await metrics.registry.getSingleMetricAsString('a2sf_generator_prefill_seconds');
    return Number(/_count (\d+)/.exec(text)?.[1] ?? 0);
  };
  const idle = async (): Promise<void> => {
    while (model.queueDepth > 0 || slots.inUse > 0) await sleep(5);
  };

  test('a client that fills its share of the queue is told when to try again, and another is served', async () => {
    const calls = Array.from({ length: 8 }, () => callUnary(client, 'sweep', sweep).catch((error: unknown) => error));
    const refused = await Promise.race<unknown>(calls);
    assert.ok(isA2sfError(refused), 'the refusal comes first');
    assert.deepEqual([refused.code, refused.reason], ['RESOURCE_EXHAUSTED', 'queue-full']);
    assert.match(refused.message, /7 calls of this client/);
    assert.ok(refused.retryAfterMs! > 0);
    assert.equal((await callUnary(other, 'sweep', sweep)).results.length, 1);
    const outcomes = await Promise.all(calls);
    assert.equal(outcomes.filter((outcome) => isA2sfError(outcome)).length, 1);
    await idle();
  });

  test('a deadline shorter than the prompt’s reading ends the reading, and leaves no call and no slot', async () => {
    const done = await prefills();
    const call = async (): Promise<void> => {
      for await (const _ of callServerStream(client, 'generate', { prompt, maxNewTokens: 64 }, { timeoutMs: 5 }));
    };
    await assert.rejects(call(), { code: 'DEADLINE_EXCEEDED' });
    await idle();
    assert.equal(await prefills(), done);
    assert.equal((await callUnary(client, 'sweep', sweep)).results.length, 1);
  });

  test('a client that leaves in the middle of a stream leaves no call and no slot', async () => {
    for await (const { tokenIds } of callServerStream(client, 'generate', {
      prompt,
      maxNewTokens: 500,
      ignoreEos: true,
    })) {
      if (tokenIds.length > 0) break;
    }
    await idle();
    assert.equal((await callUnary(client, 'sweep', sweep)).results.length, 1);
  });
});
