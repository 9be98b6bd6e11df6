import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressDisplay } from './progress-display.js';

test('without a terminal, every logged iteration is one line with reward, loss, rate and ETA', () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const display = progressDisplay({ from: 0, to: 7, episodesPerUpdate: 4, logFrequency: 3, write }, undefined);
  display.onEvaluationReady?.(5, 0);
  for (let iteration = 1; iteration <= 7; iteration++) {
    display.onIteration?.(
      { iteration, episodes: [], experiences: [], avgReward: 0.5 },
      iteration === 3 ? undefined : 0.25,
      {},
    );
  }
  display.close();
  assert.equal(lines.length, 3);
  assert.match(lines[0]!, /^iteration 3\/7  reward 0\.500  loss -  \S+ episodes\/s  ETA \d\d:\d\d:\d\d$/);
  assert.match(lines[1]!, /^iteration 6\/7  reward 0\.500  loss 0\.2500 /);
  assert.match(lines[2]!, /^iteration 7\/7 .* ETA 00:00:00$/);
});
