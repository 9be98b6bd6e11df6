import assert from 'node:assert/strict';
import { test } from 'node:test';
import { A2sfError } from '@a2sf/errors';
import { waitForRoom } from './wait-for-room.js';

const full = new A2sfError('RESOURCE_EXHAUSTED', 'x: no space left', { field: 'x', reason: 'disk-full' });
const never = new AbortController().signal;

test('a write that meets a full disk is tried until it succeeds, and the wait is told once for all that wait', async () => {
  const told: string[] = [];
  const write = waitForRoom({
    signal: never,
    everyMs: 1,
    onWait: ({ field }) => told.push(`wait ${field}`),
    onGoOn: () => told.push('go on'),
  });
  const attempts = [0, 0];
  const failing = (which: 0 | 1, times: number) => async () => {
    attempts[which]!++;
    if (attempts[which]! <= times) throw full;
    return attempts[which]!;
  };
  assert.deepEqual(await Promise.all([write(failing(0, 3)), write(failing(1, 5))]), [4, 6]);
  assert.deepEqual(told, ['wait x', 'go on']);
  assert.equal(await write(async () => 7), 7);
  assert.equal(told.length, 2);
});

test('any other failure is thrown at once', async () => {
  const write = waitForRoom({ signal: never, onWait: () => assert.fail('waits') });
  for (const error of [
    new Error('other'),
    new A2sfError('RESOURCE_EXHAUSTED', 'queue is full', { reason: 'queue-full' }),
  ]) {
    await assert.rejects(
      write(() => Promise.reject(error)),
      error,
    );
  }
});

test('a run that is to end tries once more and gives up with what the write met', async () => {
  const controller = new AbortController();
  const told: string[] = [];
  let attempts = 0;
  const write = waitForRoom({
    signal: controller.signal,
    everyMs: 3_600_000,
    onWait: () => controller.abort(),
    onGoOn: () => told.push('no longer waits'),
    onGiveUp: () => told.push('given up'),
  });
  const attempt = async () => {
    attempts++;
    throw full;
  };
  await assert.rejects(write(attempt), full);
  assert.deepEqual([attempts, told], [2, ['given up', 'no longer waits']]);
  await assert.rejects(write(attempt), full);
  assert.equal(attempts, 3);
});
