import { A2sfError } from '@a2sf/errors';
import { validateAction, type Action } from './action-space.js';

/**
 * w(q) = sigmoid(a * (q - (n - b - 0.5))), the weight of query position q in a prompt of n tokens (DESIGN part 5).
 *
 * a = 0 weighs every query 0.5; a large `a` is a step that keeps the last b queries. The result is in 0..1 and never NaN:
 * 1 / (1 + exp(-x)) goes to 1 / Infinity = 0 where exp overflows, and q - (n - b - 0.5) is a half-integer, so that a huge
 * `a` is never multiplied by 0. The arguments are not checked; `sigmoidWindow` does that once per window.
 */
export function windowWeight(q: number, n: number, { a, b }: Action): number {
  return 1 / (1 + Math.exp(-a * (q - (n - b - 0.5))));
}

/** The whole window, [n] float32, computed in float64 and rounded. Throws INVALID_ARGUMENT for n < 1 or an invalid action. */
export function sigmoidWindow(n: number, action: Action): Float32Array {
  validateLength(n);
  validateAction(action);
  const window = new Float32Array(n);
  for (let q = 0; q < n; q++) window[q] = windowWeight(q, n, action);
  return window;
}

/** Throws INVALID_ARGUMENT unless n, a prompt's length in tokens, is a whole number of at least 1. */
export function validateLength(n: number): void {
  if (!Number.isSafeInteger(n) || n < 1) throw A2sfError.invalid('n', `must be a whole number of at least 1, got ${n}`);
}
