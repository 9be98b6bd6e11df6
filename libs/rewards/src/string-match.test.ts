import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricOfDataset } from './dataset-metrics.js';
import { scoreItem } from './score-item.js';
import { stringMatch } from './string-match.js';

const item = (prediction: string, ...references: string[]) =>
  scoreItem(stringMatch, { prediction, references, allClasses: [], dataset: 'ruler', logProbs: [] });

test('string_match is the share of the references that occur in the prediction, in any case', () => {
  assert.equal(item('the codes are 4711 and ABC-9.', '4711', 'abc-9'), 1);
  assert.equal(item('the codes are 4711 and none', '4711', 'abc-9'), 0.5);
  assert.equal(item('471 1', '4711'), 0);
  assert.equal(item(' ', '4711'), 0);
  assert.equal(item('4711', '4711', ' '), 0.5); // a blank reference is never met
});

test("it is RULER's own metric", () => {
  assert.equal(metricOfDataset('ruler'), stringMatch);
});
