import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { planCompression, selectKeptPositions, type CompressionRequest } from '@a2sf/kv-compression';
import fc from 'fast-check';
import { KeySelection } from './key-selection.js';

const shape = { layers: 2, kvHeads: 2, headDim: 1 };
const ignore = (): void => {};
const window: CompressionRequest = { action: { a: 0, b: 1 }, budget: 2 };

describe('selection of keys', () => {
  let selection: KeySelection;
  before(async () => {
    selection = await KeySelection.create(shape, 1);
  });
  after(() => selection.dispose());

  test('each layer and KV head is ranked by its own row of the asked window', async () => {
    // Per layer [G = 2, A = 2, n = 4].
    const layer = Float32Array.of(9, 8, 0, 0, /**/ 0, 0, 8, 9, /**/ 9, 0, 8, 0, /**/ 0, 9, 0, 8);
    const plan = planCompression(window, 4);
    const scored = [1, 0].map((index) => ({ plan, window: index }));
    const { distinct, choice } = await selection.select({ n: 4, windows: 2, layers: [layer, layer] }, scored, ignore);
    assert.deepEqual(choice, [0, 1]);
    assert.deepEqual(
      distinct.map(([first]) => first!.map((positions) => [...positions])),
      [
        [
          [2, 3],
          [1, 3],
        ],
        [
          [0, 1],
          [0, 2],
        ],
      ],
    );
  });

  test('the graph keeps what the plain selection keeps, with ties and forced positions, for any scores', async () => {
    const n = 12;
    const scores = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4 * n, maxLength: 4 * n });
    const request = fc.record({
      recent: fc.integer({ min: 1, max: 3 }),
      keep: fc.integer({ min: 0, max: 8 }).map((start) => [{ start, end: start + 2 }]),
    });
    await fc.assert(
      fc.asyncProperty(scores, request, async (values, more) => {
        const plan = planCompression({ ...window, budget: 7, ...more }, n);
        const layers = [Float32Array.from(values.slice(0, 2 * n)), Float32Array.from(values.slice(2 * n))];
        const { distinct } = await selection.select({ n, windows: 1, layers }, [{ plan, window: 0 }], ignore);
        layers.forEach((layer, l) => {
          for (let head = 0; head < 2; head++) {
            const row = layer.subarray(head * n, (head + 1) * n);
            const expected = selectKeptPositions(row, n, plan.kept, plan.forced);
            assert.deepEqual([...distinct[0]![l]![head]!], [...expected]);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  test('plans that keep the same positions everywhere share a selection; one head apart is another', async () => {
    const same = Float32Array.of(4, 3, 2, 1, /**/ 8, 6, 4, 2, /**/ 4, 3, 2, 1, /**/ 1, 2, 3, 4);
    const plan = planCompression(window, 4);
    const scored = [0, 1, 0].map((index) => ({ plan, window: index }));
    const { distinct, choice } = await selection.select({ n: 4, windows: 2, layers: [same, same] }, scored, ignore);
    assert.deepEqual(choice, [0, 1, 0]);
    assert.equal(distinct.length, 2);
    const alike = Float32Array.of(4, 3, 2, 1, /**/ 8, 6, 4, 2, /**/ 4, 3, 2, 1, /**/ 7, 5, 2, 1);
    const merged = await selection.select({ n: 4, windows: 2, layers: [alike, alike] }, scored, ignore);
    assert.deepEqual(merged.choice, [0, 0, 0]);
  });

  test('a model whose scores are no numbers is told apart from a wrong request', async () => {
    const layers = [new Float32Array(8).fill(1), new Float32Array(8).fill(Number.NaN)];
    for (const request of [window, { method: 'snapkv', budget: 2 }, { method: 'tova', budget: 2 }]) {
      const plan = planCompression(request, 4);
      await assert.rejects(selection.select({ n: 4, windows: 1, layers }, [{ plan, window: 0 }], ignore), {
        code: 'DATA_LOSS',
        message: /layer 1/,
      });
    }
  });
});
