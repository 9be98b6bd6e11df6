import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { promptStatistics, statisticNames, type StatisticName } from './prompt-statistics.js';

function statistic(name: StatisticName, text: string): number {
  return promptStatistics(text)[statisticNames.indexOf(name)]!;
}
const near = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual} is not ${expected}`);

describe('a statistic of a prompt:', () => {
  test('length is logarithmic in characters, astral ones counted once, and ends at 1', () => {
    near(statistic('length', 'abc'), 2 / 20);
    near(statistic('length', '😀😀😀'), 2 / 20);
    near(statistic('length', 'a'.repeat(2 ** 20)), 1);
  });

  test('lines is logarithmic in line feeds', () => {
    near(statistic('lines', 'one line'), 0);
    near(statistic('lines', 'a\nb\r\nc\n'), 2 / 16);
    near(statistic('lines', '\n'.repeat(2 ** 17)), 1);
  });

  test('spaces is the share of white space', () => {
    near(statistic('spaces', 'a b\tc\u3000'), 3 / 6);
  });

  test('code is the share of brackets and operators among what is visible', () => {
    near(statistic('code', 'f(x) = y;'), 4 / 7);
    near(statistic('code', 'Well, "this" is prose!'), 0);
  });

  test('digits is the share of decimal digits of any script among what is visible', () => {
    near(statistic('digits', '12 ab ३'), 3 / 5);
    near(statistic('digits', '½ⅷ'), 0);
  });

  test('cjk is the share of Chinese, Japanese and Korean letters among letters', () => {
    near(statistic('cjk', 'ab 漢字かナ한𠀀 12。'), 6 / 8);
  });

  test('otherScripts is the share of letters that are neither Latin nor those', () => {
    near(statistic('otherScripts', 'é да 漢'), 2 / 4);
  });

  test('questionPosition is where the last question mark or marker ends', () => {
    near(statistic('questionPosition', 'Why? Because.'), 4 / 13);
    near(statistic('questionPosition', 'Why? What？a'), 10 / 11);
    near(statistic('questionPosition', 'text\nQUESTION: name it'), 14 / 22);
    near(statistic('questionPosition', '问题：它'), 3 / 4);
    near(statistic('questionPosition', 'no request here, though a task: list'), 31 / 36);
    near(statistic('questionPosition', 'none'), 0);
  });

  test('all are in 0..1 for any string, lone surrogates and the empty one included', () => {
    const anyText = fc.string({ unit: fc.oneof(fc.string({ unit: 'binary', maxLength: 1 }), fc.constant('\ud800')) });
    fc.assert(
      fc.property(anyText, (text) => assert.ok(promptStatistics(text).every((value) => value >= 0 && value <= 1))),
    );
    assert.deepEqual([...promptStatistics('')], [0, 0, 0, 0, 0, 0, 0, 0]);
  });
});
