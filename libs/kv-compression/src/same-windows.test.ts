import assert from 'node:assert/strict';
import test from 'node:test';
import { ActionSpace, type Action } from './action-space.js';
import { groupSameWindows } from './same-windows.js';
import { selectPositions } from './selection.js';
import { sigmoidWindow } from './window.js';

const windowsOf = (n: number, actions: readonly Action[]): Float32Array[] =>
  actions.map((action) => sigmoidWindow(n, action));

test('plans without a window belong to no group', () => {
  const window = Float32Array.of(0.25, 1);
  assert.deepEqual(groupSameWindows([undefined, window, undefined, window]), {
    windows: [window],
    groupOf: [undefined, 0, undefined, 0],
  });
});

test('a window of zeros is told apart from one of ones', () => {
  assert.deepEqual(groupSameWindows([new Float32Array(2), Float32Array.of(1, 1)]).groupOf, [0, 1]);
});

test('a = 0 ignores b, and 39 to 49 of the sixty actions are distinct', () => {
  const distinct = [129, 600, 1024, 4096, 8192].map(
    (n) => groupSameWindows(windowsOf(n, ActionSpace.default.actions())).windows.length,
  );
  assert.deepEqual(distinct, [39, 41, 43, 46, 49]);
  const { groupOf } = groupSameWindows(windowsOf(8192, ActionSpace.default.actions()));
  assert.deepEqual(groupOf.slice(0, 13), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
});

test('each action belongs to a group whose window is its own or flat like its own', () => {
  const n = 200;
  const actions = ActionSpace.default.actions();
  const { windows, groupOf } = groupSameWindows(windowsOf(n, actions));
  windows.forEach((window, group) => {
    assert.deepEqual(window, sigmoidWindow(n, actions[groupOf.indexOf(group)]!));
  });
  actions.forEach((action, index) => {
    const own = sigmoidWindow(n, action);
    const shared = windows[groupOf[index]!]!;
    const factor = own[0]! / shared[0]!;
    assert.ok(own.every((w, q) => w === shared[q] || w === shared[q]! * factor));
  });
});

test('a saturated window selects what a = 0 selects', () => {
  const n = 40;
  const actions = [
    { a: 0, b: 1 },
    { a: 10, b: 64 },
    { a: 10, b: 16 },
  ];
  assert.deepEqual(groupSameWindows(windowsOf(n, actions)).groupOf, [0, 0, 1]);
  const attention = Array.from({ length: n }, (_, q) =>
    Float32Array.from({ length: n }, (_, k) => ((q * k) % 11) / 110),
  );
  const select = (action: { a: number; b: number }) => {
    const window = sigmoidWindow(n, action);
    return selectPositions(
      Float32Array.from({ length: n }, (_, k) => attention.reduce((sum, row, q) => sum + window[q]! * row[k]!, 0)),
      n,
      12,
      2,
    );
  };
  assert.deepEqual(select(actions[0]!), select(actions[1]!));
});
