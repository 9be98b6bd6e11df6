import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AsyncQueue } from './async-queue.js';

async function drain(queue: AsyncQueue<number>): Promise<number[]> {
  const items: number[] = [];
  for await (const item of queue) items.push(item);
  return items;
}

test('items come out in order, whether pushed before or while they are awaited', async () => {
  const queue = new AsyncQueue<number>();
  queue.push(1);
  const drained = drain(queue);
  await new Promise(setImmediate);
  queue.push(2);
  queue.push(3);
  queue.close();
  assert.deepEqual(await drained, [1, 2, 3]);
});

test('an error comes behind the items that were pushed before it', async () => {
  const queue = new AsyncQueue<number>();
  queue.push(1);
  queue.close(new Error('gone'));
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const item of queue) seen.push(item);
  }, /gone/);
  assert.deepEqual(seen, [1]);
});
