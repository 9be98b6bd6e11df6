export { ActionSpace, validateAction, type Action } from './action-space.js';
export { defaultRecent, resolveBudget, type Budget, type ResolvedBudget } from './budget.js';
export { groupSameWindows, type WindowGroups } from './same-windows.js';
export { selectPositions } from './selection.js';
export { sigmoidWindow, windowWeight } from './window.js';
