import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { cacheBytes, KvCache } from './kv-cache.js';
import { float32, type OnnxSession } from './onnx-session.js';
import { slotCapacity, SlotScheduler, type SequenceRequest } from './slot-scheduler.js';
import { Turns } from './turns.js';

// Accounting alone: the model's next token is always 7 and its keys are ones. What is computed in slots is tested with
// real models in concurrent-texts.test.ts.
const shape = { layers: 1, kvHeads: 1, headDim: 1 };
const session = {
  run: (feeds: Record<string, { dims: readonly number[] }>) => {
    const rows = feeds['ids']!.dims[0]!;
    const ones = float32(new Float32Array(rows).fill(1), [rows, 1, 1, 1]);
    return Promise.resolve({ 'key.0': ones, 'value.0': ones, next: { data: new BigInt64Array(rows).fill(7n) } });
  },
} as unknown as OnnxSession;

const free = { checkCancelled: (): void => {} };
function text(keys: number, maxNewTokens: number, more: Partial<SequenceRequest> = {}): SequenceRequest {
  return {
    capacity: keys + maxNewTokens,
    fill: (cache, row) => cache.gather(row, filled(keys)),
    first: 3,
    position: keys,
    maxNewTokens,
    endTokens: new Set(),
    ...free,
    ...more,
  };
}
function filled(keys: number): KvCache {
  const cache = new KvCache(shape, 1, keys);
  cache.advance(keys);
  return cache;
}
const scheduler = (slots: number, slotBytes: number, onInUse?: (slots: number) => void): SlotScheduler =>
  new SlotScheduler({ session, shape, stepsPerRun: 1 }, new Turns(), { slots, slotBytes }, onInUse);
const bytesOf = (keys: number): number => cacheBytes(shape, slotCapacity(keys));

describe('slots', () => {
  test('a text that could not be decoded even alone is refused with the limit', () => {
    const slots = scheduler(4, bytesOf(64));
    slots.mustFit(64);
    assert.throws(() => slots.mustFit(65), {
      code: 'RESOURCE_EXHAUSTED',
      reason: 'over-slot-bytes',
      field: 'prompt',
      message: /65 together, need a slot of 640 bytes, the limit is 512 \(--slot_bytes\)/,
    });
    assert.throws(() => slots.reserve(65), { reason: 'over-slot-bytes' });
    assert.throws(() => slots.start([text(60, 5)]), { reason: 'over-slot-bytes' });
  });

  test('a reserved slot is nobody else’s, in number and in bytes, until it is given back', async () => {
    const slots = scheduler(8, 2 * bytesOf(64));
    const first = slots.reserve(64)!;
    const second = slots.reserve(64)!;
    assert.equal(slots.reserve(16), undefined);
    const [started] = slots.start([text(10, 4)]);
    let placed = false;
    void started!.placed.then(() => (placed = true));
    await new Promise(setImmediate);
    assert.equal(placed, false);
    first.release();
    first.release();
    assert.equal((await started!.done).length, 4);
    assert.ok(slots.reserve(64));
    assert.equal(slots.reserve(64), undefined);
    second.release();
    const few = scheduler(1, 1e6);
    assert.ok(few.reserve(10));
    assert.equal(few.reserve(10), undefined);
  });

  test('a text takes the slot that was reserved for it', async () => {
    const slots = scheduler(1, bytesOf(64));
    const reservation = slots.reserve(64)!;
    const [started] = slots.start([text(60, 4)], reservation);
    assert.equal(slots.inUse, 1);
    assert.deepEqual(await started!.done, [3, 7, 7, 7]);
    assert.equal(slots.inUse, 0);
  });

  test('rows that others left are given up for a text of another length while texts go on', async () => {
    const slots = scheduler(16, 8 * bytesOf(32));
    const short = Array.from({ length: 7 }, () => text(16, 4));
    const started = slots.start([...short, text(16, 16)]);
    await started[0]!.done;
    assert.equal(slots.inUse, 1);
    const reservation = slots.reserve(128);
    assert.ok(reservation);
    const [large] = slots.start([text(120, 8)], reservation);
    assert.equal(slots.inUse, 2);
    assert.equal((await large!.done).length, 8);
    assert.equal((await started[7]!.done).length, 16);
  });

  test('texts of any lengths, one after the other, hold the memory of the longest alone', async () => {
    const slots = scheduler(16, 1e6);
    for (const keys of [20, 100, 60, 250, 30, 249, 120]) await slots.start([text(keys, 4)])[0]!.done;
    assert.equal(slots.bytes, bytesOf(254));
  });

  test('a crowd’s memory is kept for the next one, and given up when none comes', async () => {
    const slots = scheduler(16, 1e6);
    const crowd = async (): Promise<void> => {
      const started = slots.start(Array.from({ length: 8 }, () => text(60, 4)));
      await Promise.all(started.map(({ done }) => done));
    };
    const alone = async (times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await slots.start([text(28, 4)])[0]!.done;
    };
    await crowd();
    for (let i = 0; i < 3; i++) {
      await alone(20);
      assert.equal(slots.bytes, 8 * bytesOf(64));
      await crowd();
    }
    await alone(100);
    assert.equal(slots.bytes, bytesOf(32));
  });

  test('a waiting text that does not fit lets shorter ones ahead', async () => {
    const slots = scheduler(8, 4 * bytesOf(32));
    const order: string[] = [];
    const named = (name: string, keys: number): SequenceRequest =>
      text(keys, 4, { fill: (cache, row) => (order.push(name), cache.gather(row, filled(keys))) });
    const started = slots.start([named('first', 28), named('large', 124), named('small', 28)]);
    assert.deepEqual(order, ['first', 'small']);
    await Promise.all(started.map(({ done }) => done));
    assert.deepEqual(order, ['first', 'small', 'large']);
  });

  test('a text that comes in the middle of a step does not disturb the texts of that step', async () => {
    const visible: number[] = [];
    let meanwhile = (): void => {};
    const watched = {
      run: async (feeds: Record<string, { dims: readonly number[]; data: Float32Array }>) => {
        const { dims, data } = feeds['mask']!;
        visible.push(data.subarray(0, dims[1]).filter((value) => value === 0).length);
        await new Promise(setImmediate);
        meanwhile();
        return session.run(feeds as never, []);
      },
    } as unknown as OnnxSession;
    const slots = new SlotScheduler({ session: watched, shape, stepsPerRun: 1 }, new Turns(), {
      slots: 4,
      slotBytes: 1e6,
    });
    const joined: Promise<unknown>[] = [];
    meanwhile = () => {
      if (joined.length < 2) joined.push(slots.start([text(10, 2)])[0]!.done);
    };
    await slots.start([text(8, 5)])[0]!.done;
    await Promise.all(joined);
    assert.deepEqual(visible.slice(0, 4), [8, 9, 10, 11]);
  });

  test('a graph with a loop decodes several tokens a run while all texts are greedy and have room for them', async () => {
    const runs: number[] = [];
    const looping = {
      run: (feeds: Record<string, { dims: readonly number[]; data: readonly bigint[] }>) => {
        const rows = feeds['ids']!.dims[0]!;
        const asked = Number(feeds['steps']!.data[0]);
        runs.push(asked);
        const steps = Math.max(1, asked);
        const ones = float32(new Float32Array(rows * steps).fill(1), [rows, 1, steps, 1]);
        const next = Array.from({ length: steps * rows }, (_, i) => BigInt(100 + Math.floor(i / rows)));
        const logits = { dims: [rows, 9], data: new Float32Array(rows * 9) };
        return Promise.resolve({ 'key.0': ones, 'value.0': ones, next: { data: BigInt64Array.from(next) }, logits });
      },
    } as unknown as OnnxSession;
    const model = { session: looping, shape, stepsPerRun: 4 };
    const decoded = async (...requests: SequenceRequest[]): Promise<(readonly number[])[]> => {
      runs.length = 0;
      const slots = new SlotScheduler(model, new Turns(), { slots: 4, slotBytes: 1e6 });
      return Promise.all(slots.start(requests).map(({ done }) => done));
    };
    assert.deepEqual(await decoded(text(8, 8)), [[3, 100, 101, 102, 103, 100, 101, 102]]);
    assert.deepEqual(runs, [4, 3]);
    assert.deepEqual(await decoded(text(8, 7, { endTokens: new Set([102]) })), [[3, 100, 101, 102]]);
    assert.deepEqual(runs, [4]);
    assert.deepEqual(await decoded(text(8, 4), text(8, 6)), [
      [3, 100, 101, 102],
      [3, 100, 101, 102, 100, 101],
    ]);
    assert.deepEqual(runs, [3, 2]);
    await decoded(text(8, 3), text(8, 3, { draw: () => 5 }));
    assert.deepEqual(runs, [0, 0]);
  });

  test('whatever comes, everything is decoded, within both limits', async () => {
    const texts = fc.record({ keys: fc.integer({ min: 1, max: 100 }), tokens: fc.integer({ min: 1, max: 12 }) });
    const batches = fc.array(fc.array(texts, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        batches,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (all, n, room) => {
          const slotBytes = room * bytesOf(112);
          let most = 0;
          const slots = scheduler(n, slotBytes, (inUse) => (most = Math.max(most, inUse)));
          const inFlight = new Map<number, number>();
          const tokensOf = new Map<number, number>();
          let id = 0;
          const done: Promise<void>[] = [];
          for (const batch of all) {
            const largest = Math.max(...batch.map(({ keys, tokens }) => keys + tokens));
            const reservation = slots.reserve(largest);
            const requests = batch.map(({ keys, tokens }) => {
              const mine = id++;
              return {
                tokens,
                mine,
                request: text(keys, tokens, {
                  fill: (cache: KvCache, row: number) => {
                    cache.gather(row, filled(keys));
                    inFlight.set(mine, bytesOf(keys + tokens));
                    assert.ok([...inFlight.values()].reduce((x, y) => x + y, 0) <= slotBytes);
                    assert.ok(slots.bytes <= slotBytes);
                  },
                  onToken: () => {
                    const told = (tokensOf.get(mine) ?? 0) + 1;
                    tokensOf.set(mine, told);
                    if (told === tokens) inFlight.delete(mine);
                    return true;
                  },
                }),
              };
            });
            const started = slots.start(
              requests.map(({ request }) => request),
              reservation,
            );
            started.forEach(({ done: tokens }, i) =>
              done.push(
                tokens.then((got) => {
                  inFlight.delete(requests[i]!.mine);
                  assert.equal(got.length, requests[i]!.tokens);
                }),
              ),
            );
            await new Promise(setImmediate);
          }
          await Promise.all(done);
          assert.ok(most <= n);
          assert.equal(slots.inUse, 0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
