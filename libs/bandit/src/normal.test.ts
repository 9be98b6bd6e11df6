import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '@a2sf/random';
import { normalCdf, probabilityOfLargest, standardNormal } from './normal.js';

test('the distribution function is that of the tables', () => {
  for (const [x, p] of [
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1.959963984540054, 0.025],
    [-6, 9.865876450376981e-10],
  ] as const) {
    assert.ok(Math.abs(normalCdf(x) / p - 1) < 3e-7, `${x}`);
  }
});

test('probabilities of being the largest add up to 1 and are the frequencies of draws, sharp and wide side by side', () => {
  const means = Float64Array.of(0.5, 0.6, 0.4, 0.55);
  for (const deviations of [Float64Array.of(0.1, 0.2, 0.3, 0.15), Float64Array.of(1e-3, 1, 0.5, 1e-3)]) {
    const probabilities = Array.from(means, (_, a) => probabilityOfLargest(means, deviations, a));
    assert.ok(Math.abs(probabilities.reduce((x, y) => x + y) - 1) < 1e-5, probabilities.join());
    const random = new Random(1);
    const wins = [0, 0, 0, 0];
    for (let n = 0; n < 40_000; n++) {
      const draws = Array.from(means, (mean, a) => mean + deviations[a]! * standardNormal(random));
      wins[draws.indexOf(Math.max(...draws))]!++;
    }
    for (const [a, count] of wins.entries()) assert.ok(Math.abs(count / 40_000 - probabilities[a]!) < 0.012); // 5 sd
  }
});
