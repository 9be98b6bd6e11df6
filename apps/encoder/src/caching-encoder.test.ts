import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { CachingEncoder, type CachingOptions } from './caching-encoder.js';
import { FakeEncoder, textsOf } from './fake-encoder.fixture.js';

const caching = (model: FakeEncoder, maxBytes = 1 << 20, told: Partial<CachingOptions> = {}): CachingEncoder =>
  new CachingEncoder(model, { maxBytes, ...told });

describe('an encoder with a cache', () => {
  test('computes each distinct text of a request once and answers in order', async () => {
    const model = new FakeEncoder();
    const encoded = await caching(model).encode(textsOf('b', 'aa', 'b', 'aa', 'c'));
    assert.deepEqual(model.calls, [['b', 'aa', 'c']]);
    assert.deepEqual(
      encoded,
      ['b', 'aa', 'b', 'aa', 'c'].map((text) => model.vector(text)),
    );
  });

  test('computes only what it has not kept', async () => {
    const model = new FakeEncoder();
    const told: unknown[] = [];
    let bytes = 0;
    const encoder = caching(model, 1 << 20, {
      onLookup: (found) => told.push(found),
      onBytes: (kept) => (bytes = kept),
    });
    await encoder.encode(textsOf('a', 'b', 'a'));
    await encoder.encode(textsOf('b', 'c', 'b'));
    assert.deepEqual(model.calls, [['a', 'b'], ['c']]);
    assert.deepEqual(told, [
      { hit: 0, miss: 2, shared: 1 },
      { hit: 2, miss: 1, shared: 0 },
    ]);
    assert.equal(bytes, 3 * (8 + 512));
  });

  test('forgets what does not fit', async () => {
    const model = new FakeEncoder();
    const encoder = caching(model, 520);
    for (const text of ['a', 'a', 'b', 'a']) await encoder.encode(textsOf(text));
    assert.deepEqual(model.calls, [['a'], ['b'], ['a']]);
  });

  test('lets requests at the same time share a computation', async () => {
    const model = new FakeEncoder(true);
    const encoder = caching(model);
    const calls = [encoder.encode(textsOf('a', 'b')), encoder.encode(textsOf('c', 'b')), encoder.encode(textsOf('b'))];
    assert.deepEqual(model.calls, [['a', 'b'], ['c']]);
    model.release();
    assert.deepEqual(await calls[2], [model.vector('b')]);
    model.release();
    assert.deepEqual(await calls[1], [model.vector('c'), model.vector('b')]);
    assert.deepEqual(await calls[0], [model.vector('a'), model.vector('b')]);
  });

  test('rejects a cancelled request at once, and computes on for the one that shares its text', async () => {
    const model = new FakeEncoder(true);
    const encoder = caching(model);
    const [first, second] = [new AbortController(), new AbortController()];
    const one = encoder.encode(textsOf('a', 'b'), first.signal);
    const two = encoder.encode(textsOf('b'), second.signal);
    const reason = new Error('left');
    first.abort(reason);
    await assert.rejects(one, reason);
    assert.equal(model.aborted, 0);
    model.release();
    assert.deepEqual(await two, [model.vector('b')]);
  });

  test('gives up a computation when the last request has left, and computes anew for the next', async () => {
    const model = new FakeEncoder(true);
    const encoder = caching(model);
    const callers = [new AbortController(), new AbortController()];
    const calls = callers.map(({ signal }) => encoder.encode(textsOf('a'), signal));
    callers[0]!.abort(new Error('left'));
    assert.equal(model.aborted, 0);
    await assert.rejects(calls[0]!);
    callers[1]!.abort(new Error('left'));
    await assert.rejects(calls[1]!);
    assert.equal(model.aborted, 1);
    const next = encoder.encode(textsOf('a'));
    assert.deepEqual(model.calls, [['a'], ['a']]);
    model.release();
    model.release();
    assert.deepEqual(await next, [model.vector('a')]);
  });

  test('keeps no failure, and names the input as the request has it', async () => {
    const model = new FakeEncoder();
    const encoder = caching(model);
    await encoder.encode(textsOf('a'));
    for (let i = 0; i < 2; i++) {
      const call = encoder.encode(textsOf('a', 'b', 'a', 'bad'));
      await assert.rejects(call, { code: 'INVALID_ARGUMENT', field: 'inputs[3].text', message: /^inputs\[3\]/ });
    }
    assert.deepEqual(model.calls, [['a'], ['b', 'bad'], ['b', 'bad']]);
  });

  test('computes for itself what another request failed at for a reason of its own', async () => {
    const model = new FakeEncoder();
    const encoder = caching(model);
    const failing = encoder.encode(textsOf('a', 'bad'));
    const sound = encoder.encode(textsOf('a', 'c'));
    await assert.rejects(failing, { field: 'inputs[1].text' });
    assert.deepEqual(await sound, [model.vector('a'), model.vector('c')]);
    assert.deepEqual(model.calls, [['a', 'bad'], ['c'], ['a']]);
  });

  test('leaves no rejection unhandled when a cancelled computation fails later', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const caller = new AbortController();
    const call = caching(new FakeEncoder()).encode(textsOf('bad'), caller.signal);
    caller.abort(new Error('left'));
    await assert.rejects(call);
    for (let i = 0; i < 3; i++) await setImmediate();
    process.off('unhandledRejection', note);
    assert.deepEqual(unhandled, []);
  });
});
