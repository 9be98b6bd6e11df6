import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { resolveOptions } from '@a2sf/config';
import { EncoderServiceClient, type EncoderServiceStub, type Prompt } from '@a2sf/contracts';
import { isA2sfError } from '@a2sf/errors';
import { callUnary, connect, serve, type RunningServer } from '@a2sf/grpc-runtime';
import { SentenceEncoderHost } from '@a2sf/inference';
import { resolveModelFolder } from '@a2sf/model-zoo';
import { createLogger, Metrics } from '@a2sf/observability';
import { openSafetensors, readTensor } from '@a2sf/tensor-files';
import { encoderMetrics } from './metrics.js';
import { options } from './options.js';
import { encoderService } from './service.js';

// The whole service over gRPC on loopback.
const fixture = fileURLToPath(new URL('../../../test/fixtures/m2-bert', import.meta.url));
const log = createLogger({
  name: 'encoder',
  level: 'fatal',
  stream: new Writable({ write: (_c, _e, done) => done() }),
});

class Served {
  private constructor(
    readonly client: EncoderServiceStub,
    readonly server: RunningServer,
  ) {}

  static async start(modelName: string | undefined, ...flags: string[]): Promise<Served> {
    const command = { name: 'encoder', description: 'test' };
    const { values } = resolveOptions(command, options, ['--port', '0', '--http_port', '0', ...flags], {});
    const { folder, name } = resolveModelFolder(modelName, 'encoder');
    const encoder = await SentenceEncoderHost.start({ folder, name, threads: 1 }, { maxQueue: values.maxQueue });
    const metrics = new Metrics({ processMetrics: false });
    const server = await serve({
      name: 'encoder',
      service: encoderService(encoder, values, encoderMetrics(metrics)),
      options: values,
      metrics,
      log,
      onStop: () => encoder.dispose(),
      process: false,
    });
    server.setReady(true);
    return new Served(connect(EncoderServiceClient, `127.0.0.1:${server.port}`), server);
  }

  async encode(...inputs: Prompt[]) {
    return (await callUnary(this.client, 'encode', { inputs })).embeddings;
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.server.httpPort}/metrics`)).text();
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.server.stop();
  }
}

const ids = (...tokens: number[]): Prompt => ({ tokenIds: { ids: tokens } });
const refused = (code: string, field: string, told: RegExp) => (error: unknown) =>
  isA2sfError(error) && error.code === code && error.message.includes(field) && told.test(error.message);

describe('an encoder service over the embedded model', () => {
  let served: Served;
  before(async () => {
    served = await Served.start(undefined, '--max_batch', '8', '--max_prompt_bytes', '100000', '--max_queue', '2');
  });
  after(() => served.stop());

  test('describes its model', async () => {
    const { encoderId, ...info } = await callUnary(served.client, 'getInfo', {});
    assert.deepEqual(info, {
      model: 'tiny-a2sf-encoder',
      dimension: 128,
      maxTokens: 2048,
      pooling: 'cls',
      device: 'cpu',
    });
    assert.match(encoderId, /^tiny-a2sf-encoder@[0-9a-f]{16}$/);
  });

  test('answers texts and token ids in their order, each with the identity of the encoder', async () => {
    const [first, blank, second, none, again] = await served.encode(
      { text: ' Mara Copper' },
      { text: ' \n' },
      ids(4, 100, 5),
      ids(),
      { text: ' Mara Copper' },
    );
    const { encoderId } = await callUnary(served.client, 'getInfo', {});
    assert.deepEqual(first, again);
    assert.notDeepEqual(first!.values, second!.values);
    assert.deepEqual(
      [first!.values.length, first!.empty, first!.truncated, first!.encoderId],
      [128, false, false, encoderId],
    );
    assert.deepEqual([second!.tokens, second!.empty], [3, false]);
    for (const zero of [blank!, none!]) {
      const values = Array.from({ length: 128 }, () => 0);
      assert.deepEqual(zero, { values, tokens: 0, truncated: false, empty: true, encoderId });
    }
  });

  test('cuts a text over the limit of the model and says so', async () => {
    const [long] = await served.encode({ text: ' Mara Copper'.repeat(2000) });
    assert.deepEqual([long!.tokens, long!.truncated], [2048, true]);
  });

  test('refuses a request without inputs, with too many, or with a prompt without source', async () => {
    await assert.rejects(served.encode(), refused('INVALID_ARGUMENT', 'inputs', /1\.\.8 prompts/));
    await assert.rejects(
      served.encode(...Array.from({ length: 9 }, () => ids(4))),
      refused('INVALID_ARGUMENT', 'inputs', /has 9/),
    );
    await assert.rejects(served.encode(ids(4), {}), refused('INVALID_ARGUMENT', 'inputs[1]', /text or token_ids/));
  });

  test('refuses a token id outside the vocabulary, naming both', async () => {
    const call = served.encode(ids(4), ids(4, 2048));
    await assert.rejects(call, refused('INVALID_ARGUMENT', 'inputs[1].token_ids.ids[1]', /2048/));
    await assert.rejects(
      served.encode(ids(4294967295)),
      refused('INVALID_ARGUMENT', 'inputs[0].token_ids.ids[0]', /4294967295/),
    );
  });

  test('refuses a text over the byte limit before tokenising it', async () => {
    const text = 'é'.repeat(50_001);
    await assert.rejects(
      served.encode({ text }),
      refused('RESOURCE_EXHAUSTED', 'inputs[0].text', /100002 bytes .* 100000/),
    );
  });

  test('refuses calls over its queue at once and serves the next', async () => {
    const long = ids(...Array.from({ length: 2048 }, (_, i) => i));
    const calls = await Promise.allSettled(Array.from({ length: 6 }, () => served.encode(long, long, long, long)));
    const failures = calls.filter((call) => call.status === 'rejected').map(({ reason }) => reason as unknown);
    assert.ok(failures.length > 0 && failures.every(refused('RESOURCE_EXHAUSTED', '', /queue is full/)));
    assert.equal((await served.encode(ids(4, 5)))[0]!.tokens, 2);
  });

  test('stops at the deadline and serves the next call', async () => {
    const long = ids(...Array.from({ length: 2048 }, (_, i) => i));
    const inputs = Array.from({ length: 8 }, () => long);
    const call = callUnary(served.client, 'encode', { inputs }, { timeoutMs: 20 });
    await assert.rejects(call, (error) => isA2sfError(error) && error.code === 'DEADLINE_EXCEEDED');
    assert.equal((await served.encode(ids(4, 5)))[0]!.tokens, 2);
  });

  test('counts requests, tokens and cut texts', async () => {
    const names = ['a2sf_encoder_encode_seconds_count', 'a2sf_encoder_tokens_total', 'a2sf_encoder_truncated_total'];
    const read = (): Promise<number[]> => Promise.all(names.map((name) => served.metric(name)));
    const before = await read();
    await served.encode(ids(4, 5), ids(...Array.from({ length: 2050 }, () => 7)));
    const now = await read();
    assert.deepEqual(
      now.map((value, i) => value - before[i]!),
      [1, 2050, 1],
    );
  });
});

describe('an encoder service over a folder without tokenizer', () => {
  let served: Served;
  before(async () => {
    served = await Served.start(fixture);
  });
  after(() => served.stop());

  test('gives the published vectors for token ids', async () => {
    const expected = openSafetensors(join(fixture, 'expected.safetensors'));
    const inputs = ['in0', 'in1', 'in2'].map((name) =>
      ids(...new Int32Array(readTensor(expected, `${name}.ids`).buffer)),
    );
    const embeddings = await served.encode(...inputs);
    embeddings.forEach(({ values }, i) => {
      const cls = new Float32Array(readTensor(expected, `in${i}.cls`).buffer);
      assert.equal(values.length, cls.length);
      values.forEach((value, c) => assert.ok(Math.abs(value - cls[c]!) <= 2e-3));
    });
  });

  test('refuses texts, saying why, but answers a blank one with zeros', async () => {
    const call = served.encode(ids(1), { text: 'hello' });
    await assert.rejects(call, refused('FAILED_PRECONDITION', 'inputs[1].text', /no tokenizer\.json/));
    assert.equal((await served.encode({ text: '' }))[0]!.empty, true);
  });

  test('is called by its folder', async () => {
    const { model, encoderId, dimension } = await callUnary(served.client, 'getInfo', {});
    assert.deepEqual([model, encoderId.split('@')[0], dimension], ['m2-bert', 'm2-bert', 48]);
  });
});
