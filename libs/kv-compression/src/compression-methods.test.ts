import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { resolveBudget } from './budget.js';
import { compressionMethodNames } from './compression-methods.js';
import { planCompression } from './compression-plan.js';
import type { CompressionRequest, Span } from './compression-request.js';
import { selectKeptPositions } from './kept-positions.js';
import { selectPositions } from './selection.js';
import { sigmoidWindow } from './window.js';

/** Causal softmax-like attention, [G][n][n] by query and key: rows sum to 1. Coarse values make ties likely. */
function attention(n: number, kvHeads: number, seed: number): number[][][] {
  return Array.from({ length: kvHeads }, (_, g) =>
    Array.from({ length: n }, (_, q) => {
      const row = Array.from({ length: n }, (_, k) => (k > q ? 0 : 1 + ((q * 7 + k * (k + seed) + g * 5) % 6)));
      const sum = row.reduce((x, y) => x + y);
      return row.map((p) => p / sum);
    }),
  );
}

/** The windowed sums that an engine makes of it, [G, n]. */
function windowed(p: number[][][], n: number, window: Float32Array | undefined): Float32Array {
  if (window === undefined) return new Float32Array();
  return Float32Array.from(
    p.flatMap((head) =>
      Array.from({ length: n }, (_, k) => head.reduce((sum, row, q) => sum + window[q]! * row[k]!, 0)),
    ),
  );
}

/** What a plan keeps in one layer: per head its positions. */
function keptOf(request: CompressionRequest, n: number, p: number[][][], layer = 0): number[][] {
  const plan = planCompression(request, n);
  const scores = windowed(p, n, plan.window);
  const ranks = plan.rank === undefined ? scores : plan.rank(layer, scores, p.length);
  return p.map((_, g) => [...selectKeptPositions(ranks.subarray(g * n, (g + 1) * n), n, plan.kept, plan.forced)]);
}

interface Twin {
  recent(request: CompressionRequest, budget: number): number;
  sinks?(budget: number, recent: number): number;
  window?(q: number, n: number, request: CompressionRequest): number;
  rank?(scores: (g: number, k: number) => number, g: number, k: number, contested: number[]): number;
}

const eighth = (_: CompressionRequest, budget: number): number => Math.trunc(budget * 0.125);

/** Each method's formula, read off its paper; `full` and `random` have tests of their own. */
const twins: Record<string, Twin> = {
  sigmoid: {
    recent: eighth,
    window: (q, n, { action }) => 1 / (1 + Math.exp(-action!.a * (q - (n - action!.b - 0.5)))),
  },
  'streaming-llm': {
    recent: () => 0,
    sinks: (budget, recent) => Math.min(4, budget - Math.max(recent, 1)),
    rank: (_, _g, k) => k,
  },
  h2o: { recent: (_, budget) => Math.trunc(budget / 2), window: () => 1 },
  snapkv: {
    recent: ({ observationWindow = 32 }, budget) => Math.min(observationWindow, budget),
    window: (q, n, { observationWindow = 32 }) => (q >= n - observationWindow ? 1 : 0),
    rank: (scores, g, k, contested) =>
      [-2, -1, 0, 1, 2].reduce((sum, d) => sum + (contested.includes(k + d) ? scores(g, k + d) : 0), 0) / 5,
  },
  tova: {
    recent: () => 1,
    window: (q, n) => (q === n - 1 ? 1 : 0),
    rank: (scores, _, k) => (scores(0, k) + scores(1, k)) / 2,
  },
  a2sf: { recent: eighth, window: (q, n, { forgetting = 0.99 }) => forgetting ** (n - 1 - q) },
};

function naiveKept(request: CompressionRequest, n: number, p: number[][][]): number[][] {
  const { budget } = request;
  const all = Array.from({ length: n }, (_, k) => k);
  if (n <= budget) return p.map(() => all);
  const twin = twins[request.method!]!;
  const recent = request.recent || twin.recent(request, budget);
  const sinks = twin.sinks?.(budget, recent) ?? 0;
  const forced = all.filter(
    (k) => k >= n - recent || k < sinks || request.keep!.some(({ start, end }) => start <= k && k < end),
  );
  const contested = all.filter((k) => !forced.includes(k));
  const window = Float32Array.from(all, (q) => twin.window?.(q, n, request) ?? 0);
  const sums = windowed(p, n, window);
  const score = (g: number, k: number): number => sums[g * n + k]!;
  return p.map((_, g) => {
    const ranks = all.map((k) => Math.fround(twin.rank?.(score, g, k, contested) ?? score(g, k)));
    const ranked = contested.toSorted((x, y) => ranks[y]! - ranks[x]! || x - y);
    return [...forced, ...ranked.slice(0, budget - forced.length)].sort((x, y) => x - y);
  });
}

const span: fc.Arbitrary<Span> = fc
  .record({ start: fc.nat(70), length: fc.integer({ min: 1, max: 3 }) })
  .map(({ start, length }) => ({ start, end: start + length }));

const prompt = fc.record({
  n: fc.integer({ min: 1, max: 60 }),
  budget: fc.integer({ min: 1, max: 60 }),
  recent: fc.nat(60),
  keep: fc.array(span, { maxLength: 3 }),
  seed: fc.nat(9),
  action: fc.constantFrom({ a: 0, b: 1 }, { a: 0.1, b: 8 }, { a: 10, b: 16 }),
  observationWindow: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  forgetting: fc.option(fc.double({ min: 0.5, max: 1, noNaN: true }), { nil: undefined }),
});

for (const method of compressionMethodNames) {
  test(`${method} keeps min(n, budget) ascending positions, the forced ones among them, as its formula says`, () => {
    let evictions = 0;
    fc.assert(
      fc.property(prompt, ({ n, budget, recent, keep, seed, action, observationWindow, forgetting }) => {
        const request: CompressionRequest = {
          method,
          budget,
          recent: recent > budget - 4 ? 0 : recent,
          keep,
          ...(method === 'sigmoid' ? { action } : {}),
          ...(method === 'snapkv' ? { observationWindow } : {}),
          ...(method === 'a2sf' ? { forgetting } : {}),
          ...(method === 'random' ? { seed } : {}),
        };
        const count = new Set(keep.flatMap(({ start, end }) => [start, end - 1, start + 1 < end ? start + 1 : start]))
          .size;
        const spare = twins[method]?.recent(request, budget) ?? eighth(request, budget);
        fc.pre(method === 'full' || n <= budget || (request.recent || spare) + 4 + count <= budget);
        const p = attention(n, 2, seed);
        const plan = planCompression(request, n);
        const rows = keptOf(request, n, p);
        const whole = method === 'full' || n <= budget;
        if (!whole && plan.forced.length < budget) evictions++;
        assert.equal(plan.method, method);
        assert.equal(plan.keepsAll, whole);
        assert.equal(plan.kept, whole ? n : budget);
        for (const row of rows) {
          assert.equal(row.length, plan.kept);
          assert.ok(row.every((position, i) => position >= 0 && position < n && (i === 0 || position > row[i - 1]!)));
          assert.ok(plan.forced.every((position) => row.includes(position)));
          for (const { start, end } of keep) {
            for (let k = start; k < Math.min(end, n); k++) assert.ok(row.includes(k));
          }
        }
        assert.deepEqual(keptOf(request, n, p), rows);
        assert.deepEqual(keptOf({ ...request, method: method.replaceAll('-', '_') }, n, p), rows);
        if (method in twins) assert.deepEqual(rows, naiveKept(request, n, p));
      }),
      { numRuns: 200 },
    );
    assert.ok(method === 'full' || evictions >= 20, `only ${evictions} prompts had something to rank`);
  });

  test(`${method} leaves the scores that it ranks as they were`, () => {
    const plan = planCompression(
      { method, budget: 9, ...(method === 'sigmoid' ? { action: { a: 1, b: 4 } } : {}) },
      20,
    );
    const scores = windowed(attention(20, 2, 3), 20, plan.window);
    const before = scores.slice();
    const ranks = plan.rank?.(0, scores, 2);
    assert.deepEqual(scores, before);
    if (ranks !== undefined) assert.equal(ranks.length, 40);
  });
}

test('sigmoid, also as the empty name, is resolveBudget and selectPositions on the sigmoid window', () => {
  fc.assert(
    fc.property(prompt, fc.boolean(), ({ n, budget, recent, seed, action }, named) => {
      const request = { budget, recent: Math.min(recent, budget), action, ...(named ? { method: 'sigmoid' } : {}) };
      const old = resolveBudget(request, n);
      const plan = planCompression(request, n);
      assert.equal(plan.method, 'sigmoid');
      assert.deepEqual([plan.kept, plan.keepsAll], [old.kept, old.keepsAll]);
      assert.deepEqual(plan.window, sigmoidWindow(n, action));
      assert.equal(plan.rank, undefined);
      assert.equal(plan.forced.length, Math.min(n, old.recent));
      const scores = windowed(attention(n, 1, seed), n, plan.window);
      assert.deepEqual(
        selectKeptPositions(scores, n, plan.kept, plan.forced),
        selectPositions(scores, n, old.budget, old.recent),
      );
    }),
  );
});

test('full keeps everything without a budget and needs no attention', () => {
  const plan = planCompression({ method: 'full', budget: 0 }, 500);
  assert.deepEqual([plan.kept, plan.keepsAll, plan.window, plan.rank], [500, true, undefined, undefined]);
  assert.equal(planCompression({ method: 'full', budget: 8, recent: 8 }, 500).kept, 500);
});

test('random draws anew for each seed, layer and head, alike for the seed 0 and none, and evenly', () => {
  const n = 40;
  const p = attention(n, 3, 0);
  const draw = (seed: number | undefined, layer: number): string[] =>
    keptOf({ method: 'random', budget: 16, seed }, n, p, layer).map(String);
  assert.deepEqual(draw(undefined, 1), draw(0, 1));
  assert.equal(new Set([draw(0, 0), draw(0, 1), draw(1, 0), draw(2 ** 32 - 1, 0)].flat()).size, 12);
  const hits = new Int32Array(n);
  for (let layer = 0; layer < 500; layer++) {
    for (const row of keptOf({ method: 'random', budget: 16 }, n, p, layer)) for (const k of row) hits[k]!++;
  }
  assert.deepEqual(hits.slice(38), Int32Array.of(1500, 1500)); // recent = 2
  const mean = (1500 * 14) / 38;
  for (const count of hits.slice(0, 38)) assert.ok(Math.abs(count - mean) < 5 * Math.sqrt(mean)); // 5 sigma and more
});

test('streaming-llm keeps the sinks and the end, less of what is kept by span', () => {
  const kept = (request: object, n = 12): number[] | undefined =>
    keptOf({ method: 'streaming-llm', budget: 6, ...request }, n, attention(n, 1, 0))[0];
  assert.deepEqual(kept({}), [0, 1, 2, 3, 10, 11]);
  assert.deepEqual(kept({ sinks: 0 }), [6, 7, 8, 9, 10, 11]);
  assert.deepEqual(kept({ sinks: 6 }), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(kept({ sinks: 1, keep: [{ start: 4, end: 6 }] }), [0, 4, 5, 9, 10, 11]);
  assert.deepEqual(kept({ budget: 3 }), [0, 1, 11]);
  assert.deepEqual(kept({ recent: 5 }), [0, 7, 8, 9, 10, 11]);
  assert.deepEqual(kept({ budget: 1 }), [11]);
});

test('h2o ranks as the flat sigmoid window does and keeps half of the budget recent', () => {
  const p = attention(30, 2, 1);
  const flat = keptOf({ action: { a: 0, b: 1 }, budget: 9, recent: 4 }, 30, p);
  assert.deepEqual(keptOf({ method: 'h2o', budget: 9 }, 30, p), flat);
  const { window, forced } = planCompression({ method: 'h2o', budget: 9 }, 30);
  assert.deepEqual(window, new Float32Array(30).fill(1));
  assert.deepEqual([...forced], [26, 27, 28, 29]);
});

test("snapkv averages a row as torch's avg_pool1d with padding does, up to the window", () => {
  const plan = planCompression({ method: 'snapkv', budget: 4, observationWindow: 2, pooling: 3 }, 8);
  assert.deepEqual([...plan.window!], [0, 0, 0, 0, 0, 0, 1, 1]);
  assert.deepEqual([...plan.forced], [6, 7]);
  const ranks = plan.rank!(0, Float32Array.of(3, 6, 0, 9, 3, 3, 90, 90), 1);
  assert.deepEqual([...ranks.subarray(0, 6)], [3, 3, 5, 4, 5, 2]);
});

test('snapkv without pooling ranks by the scores themselves', () => {
  const plan = planCompression({ method: 'snapkv', budget: 4, observationWindow: 2, pooling: 1 }, 8);
  const scores = Float32Array.from({ length: 8 }, (_, k) => 0.1 * k);
  assert.deepEqual(plan.rank!(0, scores, 1).slice(0, 6), scores.slice(0, 6));
});

test('snapkv with a budget within its observation window keeps the end of the prompt, or recent and the best', () => {
  const p = attention(40, 1, 2);
  assert.deepEqual(keptOf({ method: 'snapkv', budget: 5 }, 40, p)[0], [35, 36, 37, 38, 39]);
  const plan = planCompression({ method: 'snapkv', budget: 5, recent: 2 }, 40);
  assert.deepEqual([...plan.forced], [38, 39]);
});

test('tova keeps the same positions in every head of a layer', () => {
  const [first, second] = keptOf({ method: 'tova', budget: 7 }, 30, attention(30, 2, 4));
  assert.deepEqual(first, second);
  const plan = planCompression({ method: 'tova', budget: 2 }, 3);
  assert.deepEqual([...plan.rank!(0, Float32Array.of(1, 2, 0, 5, 0, 0), 2)], [3, 1, 0, 3, 1, 0]);
});

test('a2sf weighs the last query 1 and each one before it less by the factor, down to 0 and never NaN', () => {
  const { window } = planCompression({ method: 'a2sf', budget: 2, forgetting: 0.5 }, 4);
  assert.deepEqual([...window!], [0.125, 0.25, 0.5, 1]);
  const steep = planCompression({ method: 'a2sf', budget: 2, forgetting: 1e-300 }, 9).window!;
  assert.deepEqual([steep[0], steep[8]], [0, 1]);
  const even = planCompression({ method: 'a2sf', budget: 2, forgetting: 1 }, 9).window!;
  assert.ok(even.every((w) => w === 1));
  assert.equal(planCompression({ method: 'a2sf', budget: 2 }, 9).window![7], Math.fround(0.99));
});
