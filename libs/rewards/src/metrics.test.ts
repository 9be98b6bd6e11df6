import assert from 'node:assert/strict';
import test from 'node:test';
import { datasetMetrics, metricOfDataset } from './dataset-metrics.js';
import { findMetric, metricNamed, metricNames } from './metrics.js';

test("a metric is found by its name and by LongBench's spelling", () => {
  for (const name of metricNames) {
    assert.equal(metricNamed(name).name, name);
    assert.equal(metricNamed(`${name}_score`).name, name);
  }
  assert.equal(findMetric('rouge_score')?.name, 'rouge');
});

test('an unknown metric is refused with the known ones', () => {
  assert.throws(() => metricNamed('bleu', 'items[2].metric'), {
    code: 'INVALID_ARGUMENT',
    field: 'items[2].metric',
    reason: 'unknown-metric',
    message:
      /^items\[2\]\.metric: unknown metric "bleu", known are classification, code_sim, cosine, .*string_match, and mix:<name>=<weight>,\.\.\.$/,
  });
  for (const name of ['', '_score', 'rouge_l_score_score', 'constructor', '__proto__', 'x'.repeat(10_000)]) {
    assert.equal(findMetric(name), undefined);
  }
});

test('a dataset has its own metric', () => {
  assert.equal(metricOfDataset('hotpotqa').name, 'qa_f1');
  assert.equal(metricOfDataset('repobench-p').name, 'code_sim');
  assert.equal(metricOfDataset('tiny_retrieval').name, 'retrieval');
  assert.equal(metricOfDataset('multifieldqa_zh').name, 'qa_f1_zh');
  for (const dataset of ['dureader', 'vcsum']) assert.equal(metricOfDataset(dataset).name, 'rouge_zh');
  assert.throws(() => metricOfDataset('nosuch'), { code: 'INVALID_ARGUMENT', reason: 'unknown-dataset' });
  assert.throws(() => metricOfDataset('toString'), { reason: 'unknown-dataset' });
});

test('the table is sorted, and its metrics are in the registry', () => {
  const names = datasetMetrics.map((entry) => entry.dataset);
  assert.deepEqual(names, names.toSorted());
  for (const { dataset, metric } of datasetMetrics) assert.equal(metricOfDataset(dataset), findMetric(metric));
});
