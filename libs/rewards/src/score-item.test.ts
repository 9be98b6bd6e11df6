import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { metricNamed, metricNames } from './metrics.js';
import { scorerNamed } from './mix.js';
import { scoreItem, scoreSteps, textsToEmbed, type ScoreItem } from './score-item.js';

const item = (prediction: string, references: string[], rest: Partial<ScoreItem> = {}): ScoreItem => ({
  prediction,
  references,
  allClasses: ['a', 'b'],
  dataset: '',
  logProbs: [-1],
  ...rest,
});

/** A toy embedding: how often each of a, b and blank occurs. */
const embedding = (text: string) => Float32Array.of(...['a', 'b', ' '].map((letter) => text.split(letter).length - 1));

test('every metric of texts scores blank texts 0 and any others in 0..1', () => {
  const word = fc.oneof(
    fc.constantFrom('a', 'b', '北京', '。', 'Paragraph 3', 'the', '.', '\n', '#', '\u{1F600}'),
    fc.string({ unit: 'binary' }),
  );
  const text = fc.array(word, { maxLength: 8 }).map((words) => words.join(' '));
  for (const name of [...metricNames, 'mix:rouge_l=0.25,qa_f1_zh=0.25,cosine=0.5']) {
    const metric = scorerNamed(name);
    if (!metric.needsReferences) continue;
    assert.equal(scoreItem(metric, item('', ['a'])), 0, name);
    assert.equal(scoreItem(metric, item('a', ['', ' \n\t'])), 0, name);
    fc.assert(
      fc.property(text, fc.array(text, { minLength: 1, maxLength: 3 }), (prediction, references) => {
        const score = scoreItem(metric, item(prediction, references), embedding);
        assert.ok(score >= 0 && score <= 1, `${name}: ${score}`);
      }),
    );
  }
});

test('a text that repeats its reference scores 1 under every similarity', () => {
  for (const name of ['cosine', 'rouge_1', 'rouge_2', 'rouge_l', 'exact_prefix']) {
    const score = scoreItem(metricNamed(name), item('aa b otter', ['aa b otter']), embedding);
    assert.ok(Math.abs(score - 1) < 1e-12, `${name}: ${score}`);
  }
});

test('the best reference counts', () => {
  assert.equal(scoreItem(metricNamed('exact_prefix'), item('ab', ['x', 'abcd', 'abc', 'y'])), 2 / 3);
});

test('vectors that point apart score 0', () => {
  assert.equal(
    scoreItem(metricNamed('cosine'), item('a', ['b']), (text) => Float32Array.of(text === 'a' ? 1 : -1)),
    0,
  );
});

test('task metrics see the first line where LongBench cuts it, similarities see all', () => {
  const text = '\nfirst line\nsecond';
  for (const dataset of ['trec', 'triviaqa', 'samsum', 'lsht']) {
    assert.equal(scoreItem(metricNamed('qa_f1'), item(text, ['first line'], { dataset })), 1, dataset);
  }
  assert.ok(scoreItem(metricNamed('qa_f1'), item(text, ['first line'], { dataset: 'qasper' })) < 1);
  assert.equal(scoreItem(metricNamed('rouge_l'), item(text, [text], { dataset: 'trec' })), 1);
});

test('exact_prefix counts code points up to the first that differs', () => {
  const score = (prediction: string, reference: string) =>
    scoreItem(metricNamed('exact_prefix'), item(prediction, [reference]));
  assert.equal(score('\u{1F600}b', '\u{1F600}a'), 1 / 2);
  assert.equal(score('\u{1F601}', '\u{1F600}'), 0); // the same high surrogate is not half a character
  assert.equal(score('abcd', 'abxd'), 1 / 2);
  assert.equal(score('abcd and more', 'abcd'), 1);
  assert.equal(score(' abcd', 'abcd'), 0);
});

test('only texts that count are embedded', () => {
  const cosine = metricNamed('cosine');
  assert.deepEqual(textsToEmbed(cosine, item('a', ['b', ' ', 'c'])), ['a', 'b', 'c']);
  assert.deepEqual(textsToEmbed(cosine, item(' ', ['b'])), []);
  assert.deepEqual(textsToEmbed(cosine, item('a', [''])), []);
  assert.deepEqual(textsToEmbed(metricNamed('rouge_l'), item('a', ['b'])), []);
});

test('scoring pauses after each reference', () => {
  const steps = scoreSteps(metricNamed('rouge_l'), item('a', ['a', 'b', 'c']));
  assert.equal([...steps].length, 3);
});

test('an item that cannot be scored is refused with the field', () => {
  const code = 'INVALID_ARGUMENT';
  assert.throws(() => scoreItem(metricNamed('rouge_l'), item('a', [])), { code, field: 'references' });
  assert.throws(() => scoreItem(metricNamed('classification'), item('a', ['a'], { allClasses: [] })), {
    code,
    field: 'all_classes',
  });
  assert.throws(() => scoreItem(metricNamed('cosine'), item('a', ['b']), () => Float32Array.of(NaN)), { code });
  assert.throws(() => scoreItem(metricNamed('log_prob'), item('a', ['a'], { logProbs: [] })), {
    code,
    field: 'log_probs',
  });
});

test('a text of too many words is refused by the metrics that compare orders', () => {
  const long = 'a '.repeat(70_000);
  assert.throws(() => scoreItem(metricNamed('rouge_l'), item(long, ['a'])), { code: 'RESOURCE_EXHAUSTED' });
  assert.throws(() => scoreItem(metricNamed('rouge'), item(long, ['a'])), { code: 'RESOURCE_EXHAUSTED' });
  assert.throws(() => scoreItem(metricNamed('code_sim'), item(long, ['a'])), { code: 'RESOURCE_EXHAUSTED' });
  for (const name of ['qa_f1_zh', 'rouge_zh']) {
    assert.throws(() => scoreItem(metricNamed(name), item('好'.repeat(65_537), ['好'])), {
      code: 'RESOURCE_EXHAUSTED',
      message: 'text: 65537 characters to compare, the limit is 65536',
    });
  }
  assert.throws(() => scoreItem(metricNamed('rouge_zh'), item('好 '.repeat(5000), ['好'])), {
    code: 'RESOURCE_EXHAUSTED',
  });
  assert.equal(scoreItem(metricNamed('qa_f1_zh'), item('好 '.repeat(32_768), ['好'])), 2 / 32_769);
  assert.ok(scoreItem(metricNamed('rouge_1'), item(long, ['a'])) > 0);
});
