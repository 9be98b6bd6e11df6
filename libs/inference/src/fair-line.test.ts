import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FairLine } from './fair-line.js';

interface Item {
  readonly client: string;
  readonly number: number;
}
const always = (): boolean => true;
const lineOf = (...items: Item[]): FairLine<Item> => {
  const line = new FairLine<Item>();
  for (const item of items) line.join(item);
  return line;
};
const takeAll = (line: FairLine<Item>): Item[] => {
  const taken: Item[] = [];
  for (let item = line.take(always); item !== undefined; item = line.take(always)) taken.push(item);
  return taken;
};

test('one that comes behind fifty of another client is served after one more of them', () => {
  const line = lineOf(...Array.from({ length: 50 }, (_, number) => ({ client: 'a', number })));
  line.take(always);
  line.join({ client: 'b', number: 0 });
  assert.deepEqual(
    takeAll(line)
      .slice(0, 3)
      .map(({ client, number }) => client + number),
    ['a1', 'b0', 'a2'],
  );
});

test('no client is served twice while another waits, and each in the order it came', () => {
  const clients = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 40 });
  fc.assert(
    fc.property(clients, (order) => {
      const items = order.map((client, number) => ({ client, number }));
      const taken = takeAll(lineOf(...items));
      assert.equal(taken.length, items.length);
      for (const client of 'abc') {
        const of = (list: Item[]) => list.filter((item) => item.client === client);
        assert.deepEqual(of(taken), of(items));
      }
      const left = new Map<string, number>();
      for (const client of order) left.set(client, (left.get(client) ?? 0) + 1);
      for (const [i, { client }] of taken.entries()) {
        if (i > 0 && taken[i - 1]!.client === client) assert.equal(left.size, 1);
        const rest = left.get(client)! - 1;
        if (rest === 0) left.delete(client);
        else left.set(client, rest);
      }
    }),
  );
});

test('what has no room lets others of every client ahead, sixteen times at most', () => {
  const line = lineOf({ client: 'a', number: 99 });
  const small = ({ number }: Item): boolean => number < 99;
  for (let number = 0; number < 16; number++) {
    line.join({ client: number % 2 === 0 ? 'a' : 'b', number });
    assert.equal(line.take(small)?.number, number);
  }
  line.join({ client: 'b', number: 16 });
  assert.equal(line.take(small), undefined);
  assert.equal(line.take(always)?.number, 99);
  assert.equal(line.take(small)?.number, 16);
});

test('those who have left are gone', () => {
  const line = lineOf({ client: 'a', number: 0 }, { client: 'a', number: 1 }, { client: 'b', number: 2 });
  line.drop(({ number }) => number !== 1);
  assert.equal(line.length, 1);
  assert.deepEqual(takeAll(line), [{ client: 'a', number: 1 }]);
});
