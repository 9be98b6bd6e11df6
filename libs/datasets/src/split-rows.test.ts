import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import type { PromptRow } from './prompt-row.js';
import { contentHash, sides, splitRows, type Side } from './split-rows.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Rows of few datasets and few texts, so that texts come again, in other cases and with other white space. */
const rows = fc
  .array(
    fc.record({
      dataset: fc.constantFrom('a', 'b', 'c'),
      word: fc.integer({ min: 0, max: 60 }),
      spelling: fc.constantFrom(
        (text: string) => text,
        (text: string) => text.toUpperCase(),
        (text: string) => `  ${text.replaceAll(' ', '\n\t')} `,
        (text: string) => text.replaceAll(' ', '\u00a0'),
      ),
    }),
    { minLength: 12, maxLength: 120 },
  )
  .map((entries) =>
    entries.map(({ dataset, word, spelling }, i): PromptRow => {
      return { id: `${i}`, dataset, text: spelling(`prompt of ${word} words`), answers: [], allClasses: [] };
    }),
  )
  .filter((all) => new Set(all.map(({ text }) => contentHash(text, sha256))).size >= 12);

const shares = { train: 0.6, validation: 0.2, test: 0.2 };

test('the sides of a split do not depend on the order of the rows', () => {
  fc.assert(
    fc.property(rows, fc.infiniteStream(fc.nat()), (all, keys) => {
      const shuffled = all
        .map((row) => ({ row, key: keys.next().value as number }))
        .sort((x, y) => x.key - y.key)
        .map(({ row }) => row);
      assert.deepEqual(splitRows(shuffled, shares, sha256), splitRows(all, shares, sha256));
    }),
  );
});

test('prompts that differ in case and white space alone stand on one side, and no row is lost', () => {
  fc.assert(
    fc.property(rows, (all) => {
      const { rows: placed } = splitRows(all, shares, sha256);
      const sideOf = new Map<string, Side>();
      for (const { row, side } of placed) {
        const plain = row.text.toLowerCase().trim().split(/\s+/).join(' ');
        assert.equal(sideOf.get(plain) ?? side, side, plain);
        sideOf.set(plain, side);
      }
      assert.deepEqual(placed.map(({ row }) => row.id).sort(), all.map(({ id }) => id).sort());
    }),
  );
});

test('every side is within one prompt of its share over all, and within two in each dataset', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 20 }),
      (sizes, x, y) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const [low, high] = [Math.min(x, y) / 20, Math.max(x, y) / 20];
        const wanted = { train: low, validation: high - low, test: 1 - high };
        fc.pre(sides.every((side) => wanted[side] === 0 || wanted[side] * total >= 2));
        const all = sizes.flatMap((size, d) =>
          Array.from({ length: size }, (_, i): PromptRow => {
            return { id: `${i}`, dataset: `d${d}`, text: `${d} ${i}`, answers: [], allClasses: [] };
          }),
        );
        const { rows: placed, prompts } = splitRows(all, wanted, sha256);
        for (const side of sides) {
          assert.ok(Math.abs(prompts[side] - wanted[side] * total) <= 1 + 1e-6, `${side} of ${total}`);
          for (const [d, size] of sizes.entries()) {
            const own = placed.filter(({ row, side: at }) => at === side && row.dataset === `d${d}`).length;
            assert.ok(Math.abs(own - wanted[side] * size) <= 2 + 1e-6, `${side} of ${size} in d${d}: ${own}`);
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('shares that are none, and a side that gets no prompt, are refused by name', () => {
  const all = ['x', 'y'].map((text): PromptRow => ({ id: text, dataset: 'd', text, answers: [], allClasses: [] }));
  const refused = (field: string, train: number, validation: number, held: number) =>
    assert.throws(() => splitRows(all, { train, validation, test: held }, sha256), { code: 'INVALID_ARGUMENT', field });
  refused('train', 1.2, -0.2, 0);
  refused('train', 0.5, 0.2, 0.2);
  refused('train', NaN, 0.5, 0.5);
  refused('data', 0.8, 0.1, 0.1);
  assert.equal(splitRows(all, { train: 1, validation: 0, test: 0 }, sha256).prompts.train, 2);
});
