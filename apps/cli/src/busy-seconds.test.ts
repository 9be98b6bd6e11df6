import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BusySeconds } from './busy-seconds.js';

test('time counts once while several calls of a stage are in work, also where they fail', async () => {
  let now = 100;
  const ends: ((error?: Error) => void)[] = [];
  const call = () =>
    new Promise<never>((resolve, reject) => {
      ends.push((error) => (error === undefined ? resolve(undefined as never) : reject(error)));
    });
  const busy = new BusySeconds(() => now);
  const peers = busy.of({ encode: call, sweep: call, score: call });
  const first = peers.sweep({} as never);
  now = 102;
  const second = peers.sweep({} as never);
  const third = peers.encode([]);
  now = 103;
  ends[0]!();
  await first;
  now = 107;
  ends[1]!(new Error('broken'));
  await assert.rejects(second, /broken/);
  ends[2]!();
  await third;
  now = 200;
  assert.equal(String(busy), 'encode 5.0 s, generate 7.0 s, score 0.0 s');
  const again = peers.sweep({} as never);
  now = 201;
  ends[3]!();
  await again;
  assert.match(String(busy), /generate 8\.0 s/);
});
