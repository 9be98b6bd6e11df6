import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Permits } from './permits.js';
import { SharedExports } from './shared-exports.js';

function counted(limit: number) {
  let encoded = 0;
  const shared = new SharedExports(new Permits(limit, 'exports'), async () => Uint8Array.of(++encoded));
  return { shared, count: () => encoded };
}

test('who reads a version while another does shares its bytes; after the last they are made anew', async () => {
  const { shared, count } = counted(1);
  const loans = await Promise.all([shared.take(3), shared.take(3), shared.take(3)]);
  assert.ok(loans.every(({ bytes }) => bytes === loans[0].bytes));
  loans[0].giveBack();
  loans[1].giveBack();
  const late = await shared.take(3);
  assert.equal(late.bytes, loans[0].bytes);
  assert.equal(count(), 1);
  loans[2].giveBack();
  late.giveBack();
  const anew = await shared.take(3);
  assert.equal(anew.bytes[0], 2);
});

test('each version that is being read holds a permit, and gives it back', async () => {
  const { shared } = counted(2);
  const first = await shared.take(1);
  const second = await shared.take(2);
  await assert.rejects(shared.take(3), { code: 'RESOURCE_EXHAUSTED' });
  assert.equal((await shared.take(1)).bytes, first.bytes);
  second.giveBack();
  await shared.take(3);
});

test('what cannot be encoded is refused to all who wait for it, and is tried anew by the next', async () => {
  let tries = 0;
  const shared = new SharedExports(new Permits(1, 'exports'), async () => {
    if (++tries === 1) throw new Error('no policy');
    return new Uint8Array();
  });
  const [first, second] = [shared.take(1), shared.take(1)];
  await assert.rejects(first, /no policy/);
  await assert.rejects(second, /no policy/);
  await shared.take(1);
  assert.equal(tries, 2);
});
