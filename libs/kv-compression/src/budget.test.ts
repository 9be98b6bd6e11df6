import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultRecent, resolveBudget } from './budget.js';

test('the default rule keeps an eighth, rounded down, unconditionally', () => {
  assert.deepEqual([1, 7, 8, 15, 16, 128].map(defaultRecent), [0, 0, 1, 1, 2, 16]);
});

test('recent 0 or absent means the default rule, anything else is taken', () => {
  assert.deepEqual(resolveBudget({ budget: 128 }, 300), { budget: 128, recent: 16, kept: 128, keepsAll: false });
  assert.equal(resolveBudget({ budget: 128, recent: 0 }, 300).recent, 16);
  assert.equal(resolveBudget({ budget: 128, recent: 5 }, 300).recent, 5);
  assert.equal(resolveBudget({ budget: 128, recent: 128 }, 300).recent, 128);
});

test('a prompt that fits the budget keeps everything', () => {
  assert.deepEqual(resolveBudget({ budget: 128 }, 128), { budget: 128, recent: 16, kept: 128, keepsAll: true });
  assert.equal(resolveBudget({ budget: 128 }, 3).kept, 3);
});

test('an impossible budget is refused with the field and the limit', () => {
  const code = 'INVALID_ARGUMENT';
  assert.throws(() => resolveBudget({ budget: 0 }, 9), {
    code,
    message: 'budget: must be a whole number of at least 1, got 0',
  });
  assert.throws(() => resolveBudget({ budget: NaN }, 9), { code });
  assert.throws(() => resolveBudget({ budget: 8, recent: 9 }, 9, 'compression.'), {
    code,
    message: 'compression.recent: must be a whole number in 0..8 (the budget), got 9',
  });
  assert.throws(() => resolveBudget({ budget: 8, recent: -1 }, 9), { code, field: 'recent' });
  assert.throws(() => resolveBudget({ budget: 8 }, 0), { code, field: 'n' });
});
