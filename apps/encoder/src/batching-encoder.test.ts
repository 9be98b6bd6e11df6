import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { BatchingEncoder, type BatchingOptions } from './batching-encoder.js';
import { FakeEncoder, textsOf } from './fake-encoder.fixture.js';

const batching = (model: FakeEncoder, o: Partial<BatchingOptions> = {}): BatchingEncoder =>
  new BatchingEncoder(model, { windowMs: 1, maxTexts: 4, maxQueue: 64, ...o });

/** Waits until the model has been called so often. */
async function called(model: FakeEncoder, times: number): Promise<void> {
  while (model.calls.length < times) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe('an encoder that joins requests', () => {
  test('runs what comes at the same time together, and gives each request its own part in its order', async () => {
    const requests = fc.array(fc.array(fc.string(), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(requests, async (requests) => {
        const model = new FakeEncoder();
        const encoder = batching(model, { maxTexts: 6 });
        const sound = requests.map((texts) => texts.map((text) => text.replace(/^bad/, '')));
        const answers = await Promise.all(sound.map((texts) => encoder.encode(textsOf(...texts))));
        assert.deepEqual(
          answers,
          sound.map((texts) => texts.map((text) => model.vector(text))),
        );
        assert.deepEqual(model.calls.flat(), sound.flat());
        assert.ok(model.calls.every((texts) => texts.length <= 6));
      }),
      { numRuns: 30 },
    );
  });

  test('joins whole requests only, up to the most texts, in the order they came', async () => {
    const model = new FakeEncoder();
    const encoder = batching(model);
    const sizes = [3, 2, 1, 1, 9, 1];
    await Promise.all(sizes.map((size, i) => encoder.encode(textsOf(...Array.from({ length: size }, () => `${i}`)))));
    assert.deepEqual(
      model.calls.map((texts) => texts.join('')),
      ['000', '1123', '444444444', '5'],
    );
  });

  test('joins what waits while the model is busy', async () => {
    const model = new FakeEncoder(true);
    const encoder = batching(model);
    const calls = [encoder.encode(textsOf('a'))];
    await called(model, 1);
    for (const text of ['b', 'c']) calls.push(encoder.encode(textsOf(text)));
    model.release();
    await called(model, 2);
    model.release();
    await Promise.all(calls);
    assert.deepEqual(model.calls, [['a'], ['b', 'c']]);
  });

  test('runs long requests alone', async () => {
    const model = new FakeEncoder();
    const encoder = batching(model);
    const long = 'x'.repeat(20_000);
    await Promise.all([
      ...['a', long, 'b'].map((text) => encoder.encode(textsOf(text))),
      encoder.encode([{ ids: Array.from({ length: 5000 }, () => 1) }]),
    ]);
    assert.deepEqual(
      model.calls.map((texts) => texts.map((text) => text.length)),
      [[1], [20_000], [1], [9999]],
    );
  });

  test('lets a bad request fail alone, with its own numbers', async () => {
    const model = new FakeEncoder();
    const encoder = batching(model);
    const calls = [textsOf('a'), textsOf('b', 'bad'), textsOf('c')].map((inputs) => encoder.encode(inputs));
    await assert.rejects(calls[1]!, { field: 'inputs[1].text' });
    assert.deepEqual(await calls[0], [model.vector('a')]);
    assert.deepEqual(await calls[2], [model.vector('c')]);
  });

  test('takes a cancelled request out of the queue', async () => {
    const model = new FakeEncoder();
    const encoder = batching(model);
    const caller = new AbortController();
    const first = encoder.encode(textsOf('a'));
    const left = encoder.encode(textsOf('b', 'c', 'd', 'e'), caller.signal);
    const last = encoder.encode(textsOf('f'));
    caller.abort(new Error('left'));
    await assert.rejects(left, /left/);
    await Promise.all([first, last]);
    assert.deepEqual(model.calls, [['a', 'f']]);
  });

  test('stops a run only when all of its requests have left', async () => {
    const model = new FakeEncoder(true);
    const encoder = batching(model);
    const callers = [new AbortController(), new AbortController()];
    const calls = callers.map(({ signal }, i) => encoder.encode(textsOf(`${i}`), signal));
    await called(model, 1);
    callers[0]!.abort(new Error('left'));
    await assert.rejects(calls[0]!, /left/);
    assert.equal(model.aborted, 0);
    callers[1]!.abort(new Error('left'));
    await assert.rejects(calls[1]!, /left/);
    assert.equal(model.aborted, 1);
    const next = encoder.encode(textsOf('next'));
    await called(model, 2);
    model.release();
    model.release();
    assert.deepEqual(await next, [model.vector('next')]);
  });

  test('refuses what its queue has no place for, and takes the next once there is one', async () => {
    const model = new FakeEncoder(true);
    const encoder = batching(model, { maxQueue: 2 });
    const caller = new AbortController();
    const calls = [encoder.encode(textsOf('a')), encoder.encode(textsOf('b'), caller.signal)];
    await assert.rejects(encoder.encode(textsOf('c')), { code: 'RESOURCE_EXHAUSTED', reason: 'queue-full' });
    caller.abort(new Error('left'));
    await assert.rejects(calls[1]!, /left/);
    calls[1] = encoder.encode(textsOf('d'));
    await called(model, 1);
    model.release();
    await Promise.all(calls);
    assert.deepEqual(model.calls, [['a', 'd']]);
  });
});
