import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { isA2sfError } from '@a2sf/errors';
import { resolveModelFolder } from '@a2sf/model-zoo';
import { SentenceEncoderHost } from './text-encoder-host.js';
import { SentenceEncoder } from './text-encoder.js';

const { folder, name } = resolveModelFolder(undefined, 'encoder');
const code = (wanted: string) => (error: unknown) => isA2sfError(error) && error.code === wanted;

describe('an encoder in a worker', async () => {
  const host = await SentenceEncoderHost.start({ folder, name, threads: 1 }, { maxQueue: 4 });
  after(() => host.dispose());

  test('tells what it serves', () => {
    const { encoderId, ...rest } = host.info;
    assert.match(encoderId, /^tiny-a2sf-encoder@[0-9a-f]{16}$/);
    assert.deepEqual(rest, {
      model: 'tiny-a2sf-encoder',
      family: 'm2-bert',
      dimension: 128,
      maxTokens: 2048,
      vocab: 2048,
      pooling: 'cls',
      normalised: false,
      device: 'cpu',
      hasTokenizer: true,
    });
  });

  test('answers what the encoder itself answers, order kept', async () => {
    const inputs = [{ text: ' Mara Copper' }, { text: ' ' }, { ids: [4, 100, 5] }];
    const encoder = await SentenceEncoder.load({ folder, name, threads: 1 });
    assert.deepEqual(await host.encode(inputs), await encoder.encodeAll(inputs));
    await encoder.dispose();
  });

  test('passes errors on with their code and field', async () => {
    const failing = host.encode([{ ids: [4] }, { ids: [9999] }]);
    await assert.rejects(failing, (error) => isA2sfError(error) && error.field === 'inputs[1].token_ids.ids[0]');
  });

  test('stops a batch that was given up, and serves the next call', async () => {
    const controller = new AbortController();
    const long = Array.from({ length: 2048 }, (_, i) => i);
    const given = host.encode(
      Array.from({ length: 200 }, () => ({ ids: long })),
      controller.signal,
    );
    setImmediate(() => controller.abort(new Error('given up')));
    await assert.rejects(given, /given up/);
    assert.equal((await host.encode([{ ids: [4, 5] }]))[0]!.tokens, 2);
  });

  test('refuses calls beyond its queue with RESOURCE_EXHAUSTED', async () => {
    const calls = Array.from({ length: 5 }, () => host.encode([{ ids: [4, 5] }]));
    await assert.rejects(calls[4]!, code('RESOURCE_EXHAUSTED'));
    await Promise.all(calls.slice(0, 4));
    assert.equal(host.queueDepth, 0);
  });

  test('fails calls with UNAVAILABLE once it is disposed, which may happen twice', async () => {
    const other = await SentenceEncoderHost.start({ folder, name, threads: 1 });
    const call = assert.rejects(other.encode([{ ids: [4, 5] }]), code('UNAVAILABLE'));
    await other.dispose();
    await other.dispose();
    await call;
    await assert.rejects(other.encode([]), code('UNAVAILABLE'));
  });

  test('reports a folder that holds no encoder when it starts', async () => {
    const llm = resolveModelFolder(undefined, 'llm').folder;
    await assert.rejects(SentenceEncoderHost.start({ folder: llm, name, threads: 1 }), code('FAILED_PRECONDITION'));
    await assert.rejects(SentenceEncoderHost.start({ folder: '/nowhere', name, threads: 1 }), code('NOT_FOUND'));
  });
});
