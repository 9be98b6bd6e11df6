import assert from 'node:assert/strict';
import { test } from 'node:test';
import { A2sfError } from '@a2sf/errors';
import { MemberPool } from './member-pool.js';

/** A call that ends when it is told to. */
function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('calls go to the least busy member, two to each, and the rest wait in order', async () => {
  const pool = new MemberPool(['x', 'y']);
  const started: string[] = [];
  const gates = Array.from({ length: 6 }, gate);
  const calls = gates.map(({ passed }, i) =>
    pool.run(async (member) => {
      started.push(`${i}${member}`);
      await passed;
    }),
  );
  await settle();
  assert.deepEqual(started, ['0x', '1y', '2x', '3y']);
  gates[3]!.open();
  await settle();
  assert.deepEqual(started.slice(4), ['4y']);
  gates[0]!.open();
  await settle();
  assert.deepEqual(started.slice(5), ['5x']);
  for (const { open } of gates) open();
  await Promise.all(calls);
});

test('a call that ends UNAVAILABLE is tried once more, on another member, which then is preferred', async () => {
  const pool = new MemberPool(['dead', 'alive']);
  const tried: string[] = [];
  const call = (member: string) => {
    tried.push(member);
    return member === 'dead' ? Promise.reject(new A2sfError('UNAVAILABLE', 'gone')) : Promise.resolve(member);
  };
  assert.equal(await pool.run(call), 'alive');
  assert.equal(await pool.run(call), 'alive');
  assert.deepEqual(tried, ['dead', 'alive', 'alive']);
});

test('a second failure, and any other kind of failure, is told', async () => {
  let tries = 0;
  const fail = (code: 'UNAVAILABLE' | 'INVALID_ARGUMENT') => () => {
    tries++;
    return Promise.reject(new A2sfError(code, 'no'));
  };
  await assert.rejects(new MemberPool(['only']).run(fail('UNAVAILABLE')), { code: 'UNAVAILABLE' });
  assert.equal(tries, 2);
  await assert.rejects(new MemberPool(['x', 'y']).run(fail('INVALID_ARGUMENT')), { code: 'INVALID_ARGUMENT' });
  assert.equal(tries, 3);
});

test('an aborted signal takes a waiting call out of the line', async () => {
  const pool = new MemberPool(['x'], { perMember: 1 });
  const { open, passed } = gate();
  const first = pool.run(() => passed);
  const controller = new AbortController();
  const second = pool.run(() => Promise.resolve('never'), controller.signal);
  const third = pool.run(() => Promise.resolve('third'));
  controller.abort(new Error('stop'));
  await assert.rejects(second, /stop/);
  open();
  await first;
  assert.equal(await third, 'third');
});

test('a member whose answer cannot be right is quarantined, told, and its call answered by another', async () => {
  const faults: string[] = [];
  const pool = new MemberPool(['liar', 'honest'], { onFault: (fault) => faults.push(fault) });
  const tried: string[] = [];
  const call = (member: string) => {
    tried.push(member);
    if (member !== 'liar') return Promise.resolve(member);
    return Promise.reject(new A2sfError('INTERNAL', 'nonsense', { reason: 'malformed-answer' }));
  };
  for (let i = 0; i < 3; i++) assert.equal(await pool.run(call), 'honest');
  assert.deepEqual(tried, ['liar', 'honest', 'honest', 'honest']);
  assert.deepEqual(faults, ['untrustworthy']);
  assert.deepEqual([pool.members.length, pool.usable], [2, 1]);
  pool.accuse('honest', 'untrustworthy');
  assert.equal(pool.usable, 0);
  assert.equal(await pool.run((member) => Promise.resolve(member)), 'liar', 'where all are passed over, all are asked');
});

test('members that come take over waiting calls, those that go finish theirs, those that stay keep their calls', async () => {
  const pool = new MemberPool(['x'], { perMember: 1 });
  const { open, passed } = gate();
  const started: string[] = [];
  const call = async (member: string) => {
    started.push(member);
    await passed;
    return member;
  };
  const calls = [pool.run(call), pool.run(call), pool.run(call)];
  await settle();
  assert.deepEqual(started, ['x']);
  pool.replace(['x', 'y']);
  await settle();
  assert.deepEqual(started, ['x', 'y']);
  pool.replace(['z']);
  open();
  assert.deepEqual(await Promise.all(calls), ['x', 'y', 'z']);
});

/**
 * Virtual milliseconds that `count` calls take which all wait from the beginning; a member works on one at a time. `known`
 * calls were done before, so that the pool knows its members.
 */
async function makespan(times: readonly number[], count: number, known = 0): Promise<number> {
  let now = 0;
  const due: { readonly at: number; readonly end: () => void }[] = [];
  const freeAt = times.map(() => 0);
  const pool = new MemberPool(
    times.map((_, i) => i),
    { now: () => now },
  );
  const work = async (calls: number): Promise<number> => {
    const begun = now;
    const all = Promise.all(
      Array.from({ length: calls }, () =>
        pool.run((member) => {
          freeAt[member] = Math.max(now, freeAt[member]!) + times[member]!;
          return new Promise<void>((end) => due.push({ at: freeAt[member]!, end }));
        }),
      ),
    );
    for (;;) {
      await settle();
      if (due.length === 0) break;
      due.sort((x, y) => x.at - y.at);
      const { at, end } = due.shift()!;
      now = at;
      end();
    }
    await all;
    return now - begun;
  };
  await work(known);
  return work(count);
}

test('one of four members that is ten times slower costs its share, also of the last calls', async () => {
  const batches = [
    [64, 0], // as many as hide that a slow member was given two calls before it was known
    [256, 0],
    [24, 64],
    [100, 64],
  ] as const;
  for (const [count, known] of batches) {
    const bound = count / (3 / 100 + 1 / 1000);
    const took = await makespan([100, 1000, 100, 100], count, known);
    assert.ok(bound / took >= 0.9, `${count} calls: ${took} ms, ${bound} by the rates`);
  }
});

test('equal members all work to the end, and a member alone or a slow one that is idle is never kept waiting for nothing', async () => {
  for (const members of [1, 2, 3, 8]) {
    const times = Array.from({ length: members }, () => 100);
    for (const count of [1, 7, 64]) assert.equal(await makespan(times, count), Math.ceil(count / members) * 100);
  }
  assert.equal(await makespan([1000], 3), 3000);
});
