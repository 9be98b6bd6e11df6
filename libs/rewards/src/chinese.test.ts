import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { chineseWords } from './chinese-words.js';
import { metricNamed } from './metrics.js';
import { scoreItem } from './score-item.js';

const score = (metric: string, prediction: string, reference: string): number =>
  scoreItem(metricNamed(metric), { prediction, references: [reference], allClasses: [], dataset: '', logProbs: [] });

test('words in a row are the text', () => {
  const text = fc.array(fc.constantFrom('北京大学', '中', 'a1', ' ', '\n', '。', '3.14', '\u{1F600}', '\0'));
  fc.assert(
    fc.property(text, (parts) => {
      assert.equal(chineseWords(parts.join('')).join(''), parts.join(''));
    }),
  );
});

test('half a character is a word of its own, and what stands around it is segmented', () => {
  assert.deepEqual(chineseWords('北京\ud800大学'), ['北京', '\ufffd', '大学']);
});

test('a word that the dictionary lacks is found by the hidden Markov model', () => {
  assert.deepEqual(chineseWords('他来到了网易杭研大厦'), ['他', '来到', '了', '网易', '杭研', '大厦']);
});

test('qa_f1_zh ignores punctuation of both scripts, white space and case, but not 《', () => {
  assert.equal(score('qa_f1_zh', 'BERT 模型！、,\u3000(好)', '，bert模型好。'), 1);
  assert.equal(score('qa_f1_zh', '》好', '好'), 1);
  assert.equal(score('qa_f1_zh', '《好', '好'), 2 / 3);
  assert.equal(score('qa_f1_zh', '。！', '。！'), 0);
});

test('rouge_zh counts words that stand in order, each once, and only an ASCII full stop ends a sentence', () => {
  assert.ok(Math.abs(score('rouge_zh', '我们 爱 北京', '北京 爱 我们') - 1 / 3) < 1e-8);
  assert.ok(Math.abs(score('rouge_zh', '我们。北京', '北京。我们') - 1 / 3) < 1e-8);
  assert.ok(Math.abs(score('rouge_zh', '我们.北京', '北京.我们') - 1) < 1e-8);
});
