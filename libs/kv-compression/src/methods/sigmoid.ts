import { A2sfError } from '@a2sf/errors';
import { validateAction, type Action } from '../action-space.js';
import { defaultRecent } from '../budget.js';
import type { CompressionMethod } from '../compression-method.js';
import type { CompressionRequest } from '../compression-request.js';
import { sigmoidWindow } from '../window.js';

/**
 * rank[k] = sum over q of w(q) * P[q, k], w(q) = sigmoid(a * (q - (n - b - 0.5))): the method whose window (a, b) the
 * policy learns to choose (DESIGN part 5). recent = int(budget * 0.125).
 */
export const sigmoid: CompressionMethod = {
  name: 'sigmoid',
  parameters: ['action'],
  validate: (request, path) => validateAction(actionOf(request, path), `${path}action`),
  defaultRecent: (_, budget) => defaultRecent(budget),
  window: (request, n) => sigmoidWindow(n, actionOf(request, '')),
};

function actionOf({ action }: CompressionRequest, path: string): Action {
  if (action === undefined) throw A2sfError.invalid(`${path}action`, 'is required by the method sigmoid');
  return action;
}
