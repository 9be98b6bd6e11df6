import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isA2sfError } from '@a2sf/errors';
import { callUnary } from '@a2sf/grpc-runtime';
import { openSafetensors, readTensor } from '@a2sf/tensor-files';
import { ids, longIds, refused, Served } from './served.fixture.js';

const fixture = fileURLToPath(new URL('../../../test/fixtures/m2-bert', import.meta.url));
describe('an encoder service over the embedded model', () => {
  let served: Served;
  before(async () => {
    served = await Served.start(undefined, '--max_batch', '8', '--max_prompt_bytes', '100000', '--max_queue', '2');
  });
  after(() => served.stop());

  test('describes its model', async () => {
    const { encoderId, ...info } = await served.info();
    assert.deepEqual(info, {
      model: 'tiny-a2sf-encoder',
      dimension: 128,
      maxTokens: 2048,
      pooling: 'cls',
      normalised: false,
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
    const { encoderId } = await served.info();
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
    const calls = await Promise.allSettled([1, 2, 3, 4, 5, 6].map((i) => served.encode(longIds(i))));
    const failures = calls.filter((call) => call.status === 'rejected').map(({ reason }) => reason as unknown);
    assert.ok(failures.length > 0 && failures.every(refused('RESOURCE_EXHAUSTED', '', /queue is full/)));
    assert.equal((await served.encode(ids(4, 5)))[0]!.tokens, 2);
  });

  test('stops at the deadline and serves the next call', async () => {
    const inputs = Array.from({ length: 8 }, (_, i) => longIds(100 + i));
    const call = callUnary(served.client, 'encode', { inputs }, { timeoutMs: 20 });
    await assert.rejects(call, (error) => isA2sfError(error) && error.code === 'DEADLINE_EXCEEDED');
    assert.equal((await served.encode(ids(4, 5)))[0]!.tokens, 2);
  });

  test('counts requests, tokens and cut texts', async () => {
    const names = ['a2sf_encoder_encode_seconds_count', 'a2sf_encoder_tokens_total', 'a2sf_encoder_truncated_total'];
    const read = (): Promise<number[]> => Promise.all(names.map((name) => served.metric(name)));
    const before = await read();
    await served.encode(ids(14, 15), ids(...Array.from({ length: 2050 }, () => 7)));
    const now = await read();
    assert.deepEqual(
      now.map((value, i) => value - before[i]!),
      [1, 2050, 1],
    );
  });

  test('computes an input once: the second answer is the first, and no token is read for it', async () => {
    const inputs = [{ text: ' Tom Miller' }, ids(9, 8, 7), { text: ' Tom Miller' }];
    const names = ['hit', 'shared', 'miss'].map((result) => `a2sf_encoder_cache_lookups_total\\{result="${result}"\\}`);
    const read = (): Promise<number[]> =>
      Promise.all(['a2sf_encoder_tokens_total', ...names].map((name) => served.metric(name)));
    const before = await read();
    const first = await served.encode(...inputs);
    const between = await read();
    assert.deepEqual(await served.encode(...inputs), first);
    const now = await read();
    assert.deepEqual(
      between.map((value, i) => value - before[i]!),
      [first[0]!.tokens + 3, 0, 1, 2],
    );
    assert.deepEqual(
      now.map((value, i) => value - between[i]!),
      [0, 3, 0, 0],
    );
    assert.ok((await served.metric('a2sf_encoder_cache_bytes')) >= 2 * 128 * 4);
  });

  test('answers requests at the same time as it answers each alone', async () => {
    const requests = Array.from({ length: 2 }, (_, i) => [ids(20 + i, 3), { text: ` Mara ${i}` }, ids(7, 30 + i)]);
    const together = await Promise.all(requests.map((inputs) => served.encode(...inputs)));
    const alone = await Served.start(undefined, '--cache_bytes', '0');
    try {
      for (const [r, inputs] of requests.entries()) {
        const expected = await alone.encode(...inputs);
        together[r]!.forEach(({ values, ...rest }, i) => {
          const { values: wanted, ...others } = expected[i]!;
          assert.deepEqual(rest, others);
          values.forEach((value, c) => assert.ok(Math.abs(value - wanted[c]!) <= 1e-5));
        });
      }
      assert.equal(await alone.metric('a2sf_encoder_cache_bytes'), 0);
    } finally {
      await alone.stop();
    }
  });

  test('lets no bad request fail another at the same time', async () => {
    const bad = assert.rejects(
      served.encode(ids(41), ids(4, 2048)),
      refused('INVALID_ARGUMENT', 'inputs[1].token_ids.ids[1]', /2048/),
    );
    const [sound] = await Promise.all([served.encode(ids(41), ids(42)), bad]);
    assert.deepEqual(
      sound.map(({ tokens }) => tokens),
      [1, 1],
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
    const { model, encoderId, dimension } = await served.info();
    assert.deepEqual([model, encoderId.split('@')[0], dimension], ['m2-bert', 'm2-bert', 48]);
  });
});
