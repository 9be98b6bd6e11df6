import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PrefillBuffer, type PrefillTurn } from './prefill-buffer.js';

const shape = { layers: 1, kvHeads: 1, headDim: 2 };
const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('prompts that wait for the buffer', () => {
  /** A buffer, and the names of the prompts it was given to, in order. */
  function watched() {
    const buffer = new PrefillBuffer(shape);
    const read: string[] = [];
    const use = (name: string, turn: PrefillTurn = {}): Promise<void> =>
      buffer.use(
        4,
        async (cache) => {
          assert.deepEqual([...cache.lengths], [0]);
          read.push(name);
          cache.advance(4);
          await turnOfLoop();
        },
        turn,
      );
    return { buffer, read, use };
  }

  test('one client that floods the line delays another’s by one prompt beside the one that is being read', async () => {
    const { read, use } = watched();
    const flood = Array.from({ length: 50 }, (_, i) => use(`a${i}`, { client: 'a' }));
    await use('b', { client: 'b' });
    assert.deepEqual(read, ['a0', 'a1', 'b']);
    await Promise.all(flood);
    assert.equal(read.length, 51);
  });

  test('one whose work fails does not hold up the next', async () => {
    const { buffer, read, use } = watched();
    const failing = buffer.use(4, () => Promise.reject(new Error('broken')));
    const next = use('next');
    await assert.rejects(failing, /broken/);
    await next;
    assert.deepEqual(read, ['next']);
  });

  test('one that was given up leaves the line at the next turn, unread', async () => {
    const { read, use } = watched();
    let given = false;
    const checkCancelled = (): void => {
      if (given) throw new Error('given up');
    };
    const all = [use('a'), use('b', { checkCancelled }), use('c')];
    given = true;
    await assert.rejects(all[1]!, /given up/);
    await Promise.all([all[0], all[2]]);
    assert.deepEqual(read, ['a', 'c']);
  });

  test('one that has no slot lets others be read, and is read when it has one', async () => {
    const { buffer, read, use } = watched();
    let free = 0;
    let released = 0;
    const reserve = () => (free > 0 ? { release: () => void released++ } : undefined);
    const large = use('large', { reserve });
    await use('small');
    assert.deepEqual(read, ['small']);
    free = 1;
    buffer.next();
    await large;
    await turnOfLoop();
    assert.deepEqual(read, ['small', 'large']);
    assert.equal(released, 1);
  });

  test('what was reserved is given back when the work fails', async () => {
    const { buffer, use } = watched();
    let released = 0;
    const reserve = () => ({ release: () => void released++ });
    await assert.rejects(
      buffer.use(4, () => Promise.reject(new Error('broken')), { reserve }),
      /broken/,
    );
    await use('next');
    assert.equal(released, 1);
  });
});
