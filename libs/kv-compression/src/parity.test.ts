import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { defaultRecent, resolveBudget } from './budget.js';
import { selectPositions } from './selection.js';
import { sigmoidWindow, windowWeight } from './window.js';

const folder = new URL('../../../test/fixtures/a2sf-units/', import.meta.url);

interface Expected {
  windows: { i: number; n: number; a: number; b: number }[];
  window_points: { n: number; a: number; b: number; q: number; w: number }[];
  select: { i: number; name: string; budget: number; recent: number; n: number }[];
  scores: { i: number; query_heads: number; kv_heads: number; n: number; actions: [number, number][] }[];
}
const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Expected;
const tensor = readTensors();

/** Just enough of safetensors for these fixtures: this lib may not import the one that reads model files. */
function readTensors(): (name: string) => Float32Array | Int32Array {
  const bytes = readFileSync(new URL('expected.safetensors', folder));
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >;
  return (name) => {
    const { dtype, data_offsets: offsets } = header[name]!;
    const data = new Uint8Array(bytes.subarray(8 + length + offsets[0], 8 + length + offsets[1])).buffer;
    return dtype === 'I32' ? new Int32Array(data) : new Float32Array(data);
  };
}

function assertClose(actual: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, what: string): void {
  assert.equal(actual.length, wanted.length, what);
  for (let i = 0; i < wanted.length; i++) {
    assert.ok(Math.abs(actual[i]! - wanted[i]!) <= tolerance, `${what} [${i}]: ${actual[i]} for ${wanted[i]}`);
  }
}

for (const { i, n, a, b } of expected.windows) {
  test(`the window of n ${n}, a ${a}, b ${b} is torch's within 1e-6`, () => {
    assertClose(sigmoidWindow(n, { a, b }), tensor(`window.${i}`), 1e-6, 'window');
  });
}

test('single weights of long prompts and steep windows are 0 or 1 exactly enough', () => {
  for (const { n, a, b, q, w } of expected.window_points) {
    assertClose([windowWeight(q, n, { a, b })], [w], 1e-6, `n ${n} a ${a} b ${b} q ${q}`);
  }
});

for (const { i, name, budget, recent, n } of expected.select) {
  test(`selection: ${name}`, () => {
    const scores = tensor(`select.${i}.scores`) as Float32Array; // [rows, n]
    const keep = tensor(`select.${i}.keep`); // [rows, min(n, budget)]
    const { kept } = resolveBudget({ budget }, n);
    assert.equal(defaultRecent(budget), recent);
    for (let row = 0; row < scores.length / n; row++) {
      assert.deepEqual(
        [...selectPositions(scores.subarray(row * n, (row + 1) * n), n, budget, recent)],
        [...keep.subarray(row * kept, (row + 1) * kept)],
      );
    }
  });
}

test("windowed attention, summed over a group's query heads, is the fixtures' score within 1e-5", () => {
  for (const { i, query_heads: queryHeads, kv_heads: kvHeads, n, actions } of expected.scores) {
    const probs = tensor(`scores.${i}.probs`); // [query heads, n, n]
    actions.forEach(([a, b], j) => {
      const window = sigmoidWindow(n, { a, b });
      const scores = new Float64Array(kvHeads * n);
      for (let head = 0; head < queryHeads; head++) {
        const kvHead = Math.floor((head * kvHeads) / queryHeads);
        for (let q = 0; q < n; q++) {
          for (let k = 0; k < n; k++) scores[kvHead * n + k]! += window[q]! * probs[(head * n + q) * n + k]!;
        }
      }
      assertClose(scores, tensor(`scores.${i}.${j}.out`), 1e-5, `scores.${i}.${j}`);
    });
  }
});
