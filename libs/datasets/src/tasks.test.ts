import assert from 'node:assert/strict';
import test from 'node:test';
import { datasetNames } from './datasets.js';
import { longBenchDatasets } from './longbench-datasets.js';
import { taskOf, tasks } from './tasks.js';

test('every known dataset has a task, and every task several LongBench datasets', () => {
  for (const name of datasetNames) assert.ok(tasks.includes(taskOf(name)!), name);
  for (const task of tasks) {
    assert.ok(longBenchDatasets.filter(({ name }) => taskOf(name) === task).length >= 2, task);
  }
  assert.equal(longBenchDatasets.length, 21);
  assert.equal(taskOf('constructor'), undefined);
});

test("the sixteen English datasets have the groups of the reference's prompts", () => {
  const groups = {
    'Single-doc QA': ['narrativeqa', 'qasper', 'multifieldqa_en'],
    'Multi-doc QA': ['hotpotqa', '2wikimqa', 'musique'],
    Summarization: ['gov_report', 'qmsum', 'multi_news'],
    'Few Shot': ['trec', 'triviaqa', 'samsum'],
    'Passage Retrieval': ['passage_count', 'passage_retrieval_en'],
    'Code Complete': ['lcc', 'repobench-p'],
  };
  for (const [task, names] of Object.entries(groups)) for (const name of names) assert.equal(taskOf(name), task);
});
