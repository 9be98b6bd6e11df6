import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random, splitMix64 } from './random.js';

test('SplitMix64 of seed 0 begins with the published numbers', () => {
  const words = splitMix64(0n);
  const got = [words.next().value, words.next().value, words.next().value];
  assert.deepEqual(got, [16294208416658607535n, 7960286522194355700n, 487617019471545679n]);
});

/** The authors' C code in 32-bit unsigned arithmetic on BigInt. */
function* reference(s: bigint[]): Generator<number, never> {
  const m = 0xffffffffn;
  const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & m;
  for (;;) {
    yield Number((rotl((s[1]! * 5n) & m, 7n) * 9n) & m);
    const t = (s[1]! << 9n) & m;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotl(s[3]!, 11n);
  }
}

test('the generator gives the numbers of the published algorithm', () => {
  const random = Random.fromState('00000001000000020000000300000004');
  const twin = reference([1n, 2n, 3n, 4n]);
  const first = Array.from({ length: 4 }, () => random.uint32());
  assert.deepEqual(first, [11520, 0, 5927040, 70819200]);
  for (let i = 0; i < 4; i++) twin.next();
  for (let i = 0; i < 1000; i++) assert.equal(random.uint32(), twin.next().value);
});

test('a generator goes on where its state was taken', () => {
  const random = new Random(42);
  for (let i = 0; i < 10; i++) random.uint32();
  const copy = Random.fromState(random.state());
  assert.deepEqual(
    Array.from({ length: 20 }, () => random.uniform()),
    Array.from({ length: 20 }, () => copy.uniform()),
  );
  assert.throws(() => Random.fromState('0'.repeat(32)), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => Random.fromState('xyz'), { code: 'INVALID_ARGUMENT' });
  assert.throws(() => new Random(0.5), { code: 'INVALID_ARGUMENT' });
});

test('numbers are spread evenly: uniform over [0, 1), below over its range, shuffle over all orders', () => {
  const random = new Random(7);
  const n = 60_000;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const u = random.uniform();
    assert.ok(u >= 0 && u < 1);
    sum += u;
  }
  assert.ok(Math.abs(sum / n - 0.5) < 0.005); // 4 standard deviations
  const orders = new Map<string, number>();
  for (let i = 0; i < n; i++) {
    const order = random.shuffle([0, 1, 2]).join('');
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assert.equal(orders.size, 6);
  for (const count of orders.values()) assert.ok(Math.abs(count - n / 6) < 400); // 4 standard deviations
  assert.throws(() => random.below(0), { code: 'INVALID_ARGUMENT' });
});
