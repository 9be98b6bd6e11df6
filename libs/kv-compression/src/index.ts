export { ActionSpace, maxActionBudget, validateAction, type Action } from './action-space.js';
export { defaultRecent, resolveBudget, type Budget, type ResolvedBudget } from './budget.js';
export { compressionMethodNames } from './compression-methods.js';
export { planCompression, validateCompression, type CompressionPlan } from './compression-plan.js';
export type { CompressionRequest, Span } from './compression-request.js';
export { selectKeptPositions } from './kept-positions.js';
export { groupSameWindows, type WindowGroups } from './same-windows.js';
export { selectPositions } from './selection.js';
export { sigmoidWindow, windowWeight } from './window.js';
