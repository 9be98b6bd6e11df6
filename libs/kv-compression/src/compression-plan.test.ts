import assert from 'node:assert/strict';
import test from 'node:test';
import { compressionMethodNames } from './compression-methods.js';
import { planCompression, validateCompression } from './compression-plan.js';
import type { CompressionRequest } from './compression-request.js';

const code = 'INVALID_ARGUMENT';
const h2o = { method: 'h2o', budget: 8 };

function refused(request: CompressionRequest, message: string | RegExp): void {
  assert.throws(() => validateCompression(request, 'compression.'), { code, message });
  assert.throws(() => planCompression(request, 5, 'compression.'), { code, message });
}

test('eight methods are listed, the default first, and an unknown name is told them', () => {
  assert.deepEqual(compressionMethodNames, [
    'sigmoid',
    'full',
    'random',
    'streaming-llm',
    'h2o',
    'snapkv',
    'tova',
    'a2sf',
  ]);
  refused(
    { method: 'H2O', budget: 8 },
    'compression.method: must be one of sigmoid, full, random, streaming-llm, h2o, snapkv, tova, a2sf, got "H2O"',
  );
  validateCompression({ method: 'streaming_llm', budget: 8 });
  validateCompression({ method: '', budget: 8, action: { a: 1, b: 1 } });
});

test('a parameter is taken by its own method and refused by every other, by the name of the contract', () => {
  const owners = {
    action: ['sigmoid', { action: { a: 1, b: 1 } }],
    sinks: ['streaming-llm', { sinks: 2 }],
    observation_window: ['snapkv', { observationWindow: 4 }],
    pooling: ['snapkv', { pooling: 3 }],
    forgetting: ['a2sf', { forgetting: 0.9 }],
    seed: ['random', { seed: 0 }],
  } as const;
  for (const [field, [owner, parameter]] of Object.entries(owners)) {
    for (const method of compressionMethodNames) {
      const request = { ...(method === 'sigmoid' ? { action: { a: 1, b: 1 } } : {}), method, budget: 8, ...parameter };
      if (method === owner) validateCompression(request);
      else refused(request, `compression.${field}: is not a parameter of the method ${method}`);
    }
  }
});

test('sigmoid needs an action', () => {
  refused({ budget: 8 }, 'compression.action: is required by the method sigmoid');
  refused({ budget: 8, action: { a: -1, b: 1 } }, /^compression\.action\.a: /);
});

test('parameters out of range are refused with the limit', () => {
  for (const value of [-1, 0.5, NaN]) {
    refused({ method: 'streaming-llm', budget: 8, sinks: value }, /^compression\.sinks: .* 0\.\.4294967295/);
    refused({ method: 'random', budget: 8, seed: value }, /^compression\.seed: .* 0\.\.4294967295/);
  }
  for (const value of [0, -1, 2.5, NaN]) {
    refused({ method: 'snapkv', budget: 8, observationWindow: value }, /^compression\.observation_window: .* 1\.\./);
    refused({ method: 'snapkv', budget: 8, pooling: value }, /^compression\.pooling: .* 1\.\.1023/);
  }
  refused({ method: 'snapkv', budget: 8, pooling: 4 }, 'compression.pooling: must be odd, got 4');
  refused({ method: 'snapkv', budget: 8, pooling: 1025 }, /^compression\.pooling: .* 1\.\.1023/);
  for (const forgetting of [0, -1, 1.01, NaN]) {
    refused({ method: 'a2sf', budget: 8, forgetting }, /^compression\.forgetting: must be above 0 and at most 1/);
  }
  validateCompression({ method: 'snapkv', budget: 8, pooling: 1023, observationWindow: 1 });
});

test('the budget is checked as before, for every method but full', () => {
  refused({ ...h2o, budget: 0 }, 'compression.budget: must be a whole number of at least 1, got 0');
  refused({ ...h2o, budget: NaN }, /^compression\.budget: /);
  refused({ ...h2o, recent: 9 }, 'compression.recent: must be a whole number in 0..8 (the budget), got 9');
  refused({ method: 'full', budget: 0, recent: -1 }, /^compression\.recent: /);
  refused({ method: 'full', budget: -1 }, /^compression\.budget: /);
});

test('a share of the prompt is rounded up to whole keys', () => {
  const kept = (budgetShare: number, n: number): number => planCompression({ ...h2o, budget: 0, budgetShare }, n).kept;
  assert.deepEqual([kept(0.25, 8), kept(0.25, 9), kept(1e-9, 9), kept(1, 9)], [2, 3, 1, 9]);
  assert.ok(planCompression({ method: 'h2o', budget: 0, budgetShare: 1 }, 9).keepsAll);
});

test('a share and a budget exclude each other, and a share is above 0 and at most 1', () => {
  refused({ ...h2o, budgetShare: 0.5 }, /^compression\.budget_share: must not be given together with budget, got 8/);
  for (const budgetShare of [-0.1, 1.1, NaN, Infinity]) {
    refused({ method: 'h2o', budget: 0, budgetShare }, /^compression\.budget_share: must be above 0 and at most 1/);
  }
});

test('recent is held against a share once the prompt is known', () => {
  const request = { method: 'h2o', budget: 0, budgetShare: 0.5, recent: 6 };
  validateCompression(request);
  assert.equal(planCompression(request, 12).kept, 6);
  assert.throws(() => planCompression(request, 10), { code, field: 'recent' });
  assert.deepEqual([...planCompression({ ...request, budgetShare: 1 }, 3).forced], [0, 1, 2]);
  refused({ ...request, recent: 0.5 }, /^compression\.recent: /);
});

test('sinks and recent must fit the budget together', () => {
  const request = { method: 'streaming-llm', budget: 8, sinks: 4, recent: 5 };
  refused(request, 'compression.sinks: must be a whole number in 0..3 (the budget less recent), got 4');
  validateCompression({ ...request, recent: 4 });
  assert.throws(() => planCompression({ method: 'streaming-llm', budget: 0, budgetShare: 0.1, sinks: 3 }, 20), {
    code,
    field: 'sinks',
  });
  const whole = planCompression({ method: 'streaming-llm', budget: 0, budgetShare: 1, sinks: 30 }, 20);
  assert.equal(whole.forced.length, 20);
});

test('spans may overlap, touch recent and reach behind the prompt', () => {
  const keep = [
    { start: 2, end: 4 },
    { start: 3, end: 5 },
    { start: 19, end: 99 },
    { start: 50, end: 51 },
  ];
  const plan = planCompression({ ...h2o, keep }, 20);
  assert.deepEqual([...plan.forced], [2, 3, 4, 16, 17, 18, 19]);
});

test('spans that do not fit are refused with both numbers, unless everything is kept anyway', () => {
  const request = { ...h2o, keep: [{ start: 0, end: 5 }] };
  assert.throws(() => planCompression(request, 20, 'compression.'), {
    code,
    field: 'compression.keep',
    message: 'compression.keep: must fit into the budget of 8 together with recent 4, got 9 positions in all',
  });
  assert.ok(planCompression(request, 8).keepsAll);
  assert.equal(planCompression({ ...request, recent: 3 }, 20).forced.length, 8);
});

test('empty, backward and too many spans are refused', () => {
  const at = (start: number, end: number): CompressionRequest => ({
    ...h2o,
    keep: [
      { start: 0, end: 1 },
      { start, end },
    ],
  });
  refused(at(3, 3), 'compression.keep[1].end: must be a whole number above start (3), got 3');
  refused(at(3, 1), /^compression\.keep\[1\]\.end: /);
  refused(at(-1, 1), /^compression\.keep\[1\]\.start: /);
  refused(at(0.5, 1), /^compression\.keep\[1\]\.start: /);
  const many = (length: number): CompressionRequest => ({
    ...h2o,
    keep: Array.from({ length }, () => ({ start: 0, end: 1 })),
  });
  validateCompression(many(64));
  refused(many(65), 'compression.keep: must be at most 64 spans, got 65');
});

test('a prompt of no tokens is refused', () => {
  assert.throws(() => planCompression(h2o, 0), { code, field: 'n' });
});
