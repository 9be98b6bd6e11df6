import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type GenerateRequestOutput, GeneratorServiceClient, RewardServiceClient } from '@a2sf/contracts';
import { callUnary } from './calls.js';
import { startLoopback, withReward } from './loopback.fixture.js';
import { frame, rawCall } from './raw-client.fixture.js';

const path = '/a2sf.reward.v1.RewardService/Score';
const encode = RewardServiceClient.service.Score.requestSerialize;
const good = encode({ items: [{ metric: 'cosine', prediction: 'x', references: ['y'] }] });

/** One length-delimited field. */
function field(number: number, content: Uint8Array): Buffer {
  assert.ok(content.length < 128 && number < 16);
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}

const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;

interface Case {
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly message: RegExp;
}

const malformed = /^request: is not a valid a2sf\.reward\.v1\.ScoreRequest: /;
const cases: Readonly<Record<string, Case>> = {
  garbage: { body: frame(Buffer.from('ffffffffffff', 'hex')), status: INVALID_ARGUMENT, message: malformed },
  'a field of another wire type': {
    body: frame(Buffer.from([0x08, 0x01])),
    status: INVALID_ARGUMENT,
    message: /items\[0\] has wire type 0/,
  },
  'a length beyond the message': {
    body: frame(Buffer.from([0x0a, 0x7f, 1])),
    status: INVALID_ARGUMENT,
    message: malformed,
  },
  'a group': { body: frame(Buffer.from([0x7b, 0x7c])), status: INVALID_ARGUMENT, message: malformed },
  'a frame that is cut off': {
    body: frame(good, 0, good.length + 9),
    status: INVALID_ARGUMENT,
    message: /missing or cut off/,
  },
  'no message': { body: Buffer.alloc(0), status: INVALID_ARGUMENT, message: /missing or cut off/ },
  'two messages': {
    body: Buffer.concat([frame(good), frame(good)]),
    status: INVALID_ARGUMENT,
    message: /more than one message/,
  },
  'a frame that says 4 GiB': {
    body: frame(good, 0, 0xffffffff),
    status: RESOURCE_EXHAUSTED,
    message: /4294967295 bytes, the limit is 16777216 bytes \(--max_message_bytes\)/,
  },
  'invalid UTF-8': {
    body: frame(field(1, field(2, Buffer.from([0x61, 0xff])))),
    status: INVALID_ARGUMENT,
    message: /^items\[0\]\.prediction: is not valid UTF-8$/,
  },
  'an encoded surrogate': {
    body: frame(field(1, field(3, Buffer.from([0xed, 0xa0, 0x80])))),
    status: INVALID_ARGUMENT,
    message: /^items\[0\]\.references\[0\]: is not valid UTF-8$/,
  },
  'a million tiny items': {
    body: frame(Buffer.alloc(2_000_000, Buffer.from([0x0a, 0x00]))),
    status: INVALID_ARGUMENT,
    message: /^items: has more than 65536 entries$/,
  },
  'gzip that is none': {
    body: frame(Buffer.from('nonsense'), 1),
    headers: { 'grpc-encoding': 'gzip' },
    status: INVALID_ARGUMENT,
    message: /cannot be decompressed/,
  },
  'a gzip bomb': {
    body: frame(gzipSync(Buffer.alloc(64 << 20)), 1),
    headers: { 'grpc-encoding': 'gzip' },
    status: RESOURCE_EXHAUSTED,
    message: /decompresses to more, the limit is 16777216 bytes/,
  },
  'an unknown encoding': {
    body: frame(good, 1),
    headers: { 'grpc-encoding': 'zip' },
    status: UNIMPLEMENTED,
    message: /unsupported encoding/,
  },
  'a grpc-timeout that is none': {
    body: frame(good),
    headers: { 'grpc-timeout': 'soon' },
    status: INVALID_ARGUMENT,
    message: /grpc-timeout header is not a duration/,
  },
  'another content type': {
    body: frame(good),
    headers: { 'content-type': 'application/json' },
    status: 415,
    message: /^$/,
  },
};

describe('a malformed request', () => {
  let calls = 0;
  const Score = () => {
    calls++;
    return Promise.resolve({ scores: [1] });
  };

  for (const [name, { body, headers, status, message }] of Object.entries(cases)) {
    test(`of ${name} is refused before the handler, and the next call is served`, async () => {
      await withReward({ Score }, async (client, { port, sample }) => {
        calls = 0;
        const answer = await rawCall(port, path, body, headers === undefined ? {} : { headers });
        assert.equal(answer.status, status);
        assert.match(answer.message, message);
        assert.equal(calls, 0);
        assert.deepEqual((await callUnary(client, 'score', { items: [] })).scores, [1]);
        assert.equal(await sample('grpc_server_in_flight_calls', {}), 0);
      });
    });
  }

  test('of an unknown method is UNIMPLEMENTED', async () => {
    await withReward({ Score }, async (_client, { port }) => {
      assert.equal((await rawCall(port, '/a2sf.reward.v1.RewardService/__proto__', frame(good))).status, UNIMPLEMENTED);
    });
  });

  test('that is never finished is ended after the body timeout, and its stream closed', async () => {
    await withReward(
      { Score },
      async (_client, { port, sample }) => {
        const answer = await rawCall(port, path, frame(good).subarray(0, 8), { end: false });
        assert.equal(answer.status, 4);
        assert.match(answer.message, /^request: not complete within 50 ms \(--body_timeout_ms\)$/);
        assert.deepEqual([answer.reason, answer.rstCode], ['body-timeout', 0]);
        assert.equal(await sample('grpc_server_in_flight_calls', {}), 0);
        assert.equal(await sample('grpc_server_handled_total', { grpc_code: 'DEADLINE_EXCEEDED' }), 1);
      },
      { bodyTimeoutMs: 50 },
    );
  });
});

describe('a request', () => {
  test('may hold U+FFFD as text, and fields that are not known', async () => {
    let seen = '';
    const Score = ({ items }: { items: readonly { prediction: string }[] }) => {
      seen = items[0]!.prediction;
      return Promise.resolve({ scores: [] });
    };
    await withReward({ Score }, async (_client, { port }) => {
      const unknown = Buffer.concat([field(15, Buffer.from('x')), Buffer.from([0x70, 1, 0x6d, 1, 2, 3, 4])]);
      const message = Buffer.concat([unknown, field(1, field(2, Buffer.from('a\uFFFDb'))), unknown]);
      assert.equal((await rawCall(port, path, frame(message))).status, 0);
      assert.equal(seen, 'a\uFFFDb');
    });
  });

  test('with an unknown enum value is refused with the field’s name, a known one arrives by name', async () => {
    const seen: GenerateRequestOutput[] = [];
    const spec = {
      definition: { Generate: GeneratorServiceClient.service.Generate },
      handlers: {
        Generate: async function* (request: GenerateRequestOutput) {
          seen.push(request);
          yield { text: 'x' };
          await Promise.resolve();
        },
      },
    };
    const { server, port } = await startLoopback(spec);
    try {
      const generate = '/a2sf.generator.v1.GeneratorService/Generate';
      const wrap = (value: number): Buffer => frame(Buffer.from([9 << 3, value]));
      const refused = await rawCall(port, generate, wrap(77));
      assert.equal(refused.status, INVALID_ARGUMENT);
      assert.equal(refused.message, 'wrap: 77 is not a value of this enum');
      assert.equal((await rawCall(port, generate, wrap(1))).status, 0);
      assert.deepEqual(
        seen.map(({ wrap }) => wrap),
        ['PROMPT_WRAP_INST'],
      );
    } finally {
      await server.stop();
    }
  });
});
