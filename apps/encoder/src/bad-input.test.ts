import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { EncoderServiceClient } from '@a2sf/contracts';
import { ids, refused, Served } from './served.fixture.js';

/** One length-delimited field. */
function field(number: number, content: Uint8Array): Buffer {
  assert.ok(content.length < 128);
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}
const promptWith = (text: Uint8Array): Buffer => field(1, field(1, text));
const invalid = (told: RegExp) => (error: unknown) => {
  const { code, details } = error as { code: number; details: string };
  return code === 3 && told.test(details);
};

describe('an encoder service that is sent bad input', () => {
  let served: Served;
  before(async () => {
    served = await Served.start(undefined);
  });
  after(() => served.stop());

  test('answers empty and blank texts and no ids with the zero vector and `empty`', async () => {
    const blank = ['', ' ', '\n\t\r', '\u3000\u00a0', '\ufeff'].map((text) => ({ text }));
    for (const { values, tokens, empty } of await served.encode(...blank, ids())) {
      assert.deepEqual([values.length, tokens, empty], [128, 0, true]);
      assert.ok(values.every((value) => value === 0));
    }
  });

  test('refuses 10 MB of one character before it reads a token', async () => {
    const tokens = await served.metric('a2sf_encoder_tokens_total');
    const call = served.encode({ text: 'a' }, { text: 'x'.repeat(10 << 20) });
    await assert.rejects(call, refused('RESOURCE_EXHAUSTED', 'inputs[1].text', /10485760 bytes .* 4194304/));
    assert.equal(await served.metric('a2sf_encoder_tokens_total'), tokens);
  });

  test('reads NULs, control characters, emoji, mixed scripts and a replacement character as text', async () => {
    const texts = ['a\0b', '\0', '\u0001\u001b[31m', '😀'.repeat(200), 'Mara, 玛拉, Мара, مارا', 'a\ufffdb', '</s><s>'];
    const embeddings = await served.encode(...texts.map((text) => ({ text })));
    embeddings.forEach(({ values, tokens, empty }) => {
      assert.deepEqual([values.length, empty], [128, false]);
      assert.ok(tokens > 0 && values.every(Number.isFinite));
    });
    assert.notDeepEqual(embeddings[0]!.values, embeddings[1]!.values);
  });

  test('refuses invalid UTF-8 and lone surrogates, naming the text', async () => {
    const notText = { 'a stray byte': [0x61, 0xff], 'a cut sequence': [0xe4, 0xb8], 'a surrogate': [0xed, 0xa0, 0x80] };
    for (const bytes of Object.values(notText)) {
      const call = served.encodeBytes(Buffer.concat([promptWith(Buffer.from('ok')), promptWith(Buffer.from(bytes))]));
      await assert.rejects(call, invalid(/^inputs\[1\]\.text: is not valid UTF-8$/));
    }
  });

  test('refuses a million inputs, and cuts a million token ids to what the model reads', async () => {
    const inputs = Buffer.alloc(2_000_000, Buffer.from([0x0a, 0x00]));
    await assert.rejects(served.encodeBytes(inputs), invalid(/^inputs: has more than \d+ entries$/));
    const [cut] = await served.encode({ tokenIds: { ids: Array.from({ length: 1_000_000 }, () => 1) } });
    assert.deepEqual([cut!.tokens, cut!.truncated], [2048, true]);
  });

  test('refuses a prompt without source and ignores unknown fields', async () => {
    await assert.rejects(
      served.encodeBytes(field(1, Buffer.alloc(0))),
      invalid(/^inputs\[0\]: needs text or token_ids$/),
    );
    const unknown = field(15, Buffer.from('from a later release'));
    const { responseDeserialize } = EncoderServiceClient.service.Encode;
    const answer = await served.encodeBytes(Buffer.concat([promptWith(Buffer.from(' Mara')), unknown]));
    const [embedding] = responseDeserialize(Buffer.from(answer)).embeddings;
    assert.deepEqual(embedding, (await served.encode({ text: ' Mara' }))[0]);
  });

  test('serves on after all of that', async () => {
    assert.equal((await served.encode(ids(4, 5)))[0]!.tokens, 2);
  });
});

describe('an encoder service with statistics of prompts', () => {
  let served: Served;
  before(async () => {
    served = await Served.start(undefined, '--prompt_statistics');
  });
  after(() => served.stop());

  test('has eight more components and another identity, and tells both', async () => {
    const { dimension, encoderId } = await served.info();
    assert.equal(dimension, 136);
    assert.match(encoderId, /^tiny-a2sf-encoder@[0-9a-f]{16}\+statistics-1$/);
    const [why, blank] = await served.encode({ text: 'Why?' }, { text: ' ' });
    assert.deepEqual([why!.encoderId, why!.values.length, why!.values.at(-1)], [encoderId, 136, 1]);
    assert.ok(blank!.values.length === 136 && blank!.values.every((value) => value === 0));
  });

  test('refuses token ids: there is no text to measure', async () => {
    const call = served.encode({ text: 'a' }, ids(4));
    await assert.rejects(call, refused('FAILED_PRECONDITION', 'inputs[1].token_ids', /reads texts only/));
  });
});
