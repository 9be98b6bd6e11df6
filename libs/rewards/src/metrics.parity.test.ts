import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { chineseWords } from './chinese-words.js';
import { cosineSimilarity } from './cosine.js';
import { datasetMetrics, metricOfDataset } from './dataset-metrics.js';
import { metricNamed } from './metrics.js';
import { porterStem } from './porter-stemmer.js';
import { scoreItem } from './score-item.js';

/** All expected numbers are rounded to six decimals. */
const tolerance = 1e-6;

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../test/fixtures/metrics/${name}.json`, import.meta.url), 'utf8'));
}

function assertClose(actual: number, wanted: number, what: string, within = tolerance): void {
  assert.ok(Math.abs(actual - wanted) <= within, `${what}: ${actual} for ${wanted}`);
}

interface CosineFixture {
  rows: { name: string; a: number[]; b: number[]; cosine: number }[];
}
const cosines = (fixture('cosine') as CosineFixture).rows;

test('cosines are those of the fixtures', () => {
  for (const { name, a, b, cosine } of cosines) {
    assertClose(cosineSimilarity(a, b), cosine, name, name === 'tiny' || name === 'huge' ? 1e-5 : tolerance);
  }
  assert.ok(cosines.length > 0);
});

interface RougeFixture {
  rows: { target: string; prediction: string; rougeL_f1: number; rouge1_f1: number; rouge2_f1: number }[];
  stems: Record<string, string>;
}
const rouge = fixture('rouge_l') as RougeFixture;

test("stems are NLTK's", () => {
  // rouge_score stems words of more than three letters only, so that shorter ones appear as they are
  for (const [word, stem] of Object.entries(rouge.stems)) {
    assert.equal(word.length > 3 ? porterStem(word) : word, stem, word);
  }
});

test("rouge_1, rouge_2 and rouge_l are Python's rouge_score", () => {
  for (const { target, prediction, rougeL_f1, rouge1_f1, rouge2_f1 } of rouge.rows) {
    const score = (name: string) =>
      scoreItem(metricNamed(name), { prediction, references: [target], allClasses: [], dataset: '', logProbs: [] });
    const what = JSON.stringify([target, prediction]);
    assertClose(score('rouge_l'), rougeL_f1, `rouge_l ${what}`);
    assertClose(score('rouge_1'), rouge1_f1, `rouge_1 ${what}`);
    assertClose(score('rouge_2'), rouge2_f1, `rouge_2 ${what}`);
  }
});

interface LongBenchRow {
  dataset: string;
  metric: string;
  prediction: string;
  ground_truths: string[];
  all_classes: string[] | null;
  per_ground_truth: number[];
  score: number;
  jieba_prediction?: string[];
  jieba_ground_truths?: string[][];
}
const { rows } = fixture('longbench') as { rows: LongBenchRow[] };

test("Chinese words are jieba's", () => {
  const texts = rows.flatMap(({ prediction, ground_truths, jieba_prediction, jieba_ground_truths }) =>
    jieba_prediction && jieba_ground_truths
      ? [[prediction, jieba_prediction] as const, ...ground_truths.map((t, i) => [t, jieba_ground_truths[i]!] as const)]
      : [],
  );
  assert.ok(texts.length > 10);
  for (const [text, words] of texts) assert.deepEqual(chineseWords(text), words);
});

test("a row's dataset has the row's metric, and every metric of the table has rows", () => {
  for (const { dataset, metric } of rows) assert.equal(metricOfDataset(dataset).name, metric, dataset);
  const names = new Set(rows.map(({ metric }) => metric));
  const own = datasetMetrics.filter(({ dataset }) => dataset !== 'ruler'); // RULER's metric has a test of its own
  assert.deepEqual([...new Set(own.map(({ metric }) => metric))].sort(), [...names].sort());
});

for (const name of new Set(rows.map((row) => row.metric))) {
  test(`${name} is LongBench's`, () => {
    for (const row of rows.filter((row) => row.metric === name)) {
      const score = (references: string[]) =>
        scoreItem(metricNamed(`${name}_score`), {
          prediction: row.prediction,
          references,
          allClasses: row.all_classes ?? [],
          dataset: row.dataset,
          logProbs: [],
        });
      const what = JSON.stringify([row.dataset, row.prediction]);
      assertClose(score(row.ground_truths), row.score, what);
      row.ground_truths.forEach((truth, i) => assertClose(score([truth]), row.per_ground_truth[i]!, `${what} ${i}`));
    }
  });
}
