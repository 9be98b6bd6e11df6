import assert from 'node:assert/strict';
import test from 'node:test';
import { isA2sfError } from '@a2sf/errors';
import * as fc from 'fast-check';
import { metricNames } from './metrics.js';
import { scorerNamed, type Mix, type Scorer } from './mix.js';
import { scoreItem, scoreSteps, textsToEmbed, type ScoreItem } from './score-item.js';

const item: ScoreItem = {
  prediction: '\nthe otter 12\nstone',
  references: ['otter', 'the otter 12 river', ' '],
  allClasses: ['otter', 'river'],
  dataset: 'trec',
  logProbs: [-0.5, -1.5],
};
const embedding = (text: string) => Float32Array.of(text.length, 1);
const scored = (name: string) => scoreItem(scorerNamed(name), item, embedding);

function mixNamed(name: string): Mix {
  const scorer = scorerNamed(name);
  assert.ok('parts' in scorer, name);
  return scorer;
}

test('a mix is the weighted sum of what its metrics give the item alone', () => {
  const part = fc.record({ name: fc.constantFrom(...metricNames), share: fc.integer({ min: 1, max: 1000 }) });
  const parts = fc.uniqueArray(part, { minLength: 1, maxLength: 8, selector: ({ name }) => name });
  fc.assert(
    fc.property(parts, (given) => {
      const sum = given.reduce((total, { share }) => total + share, 0);
      const mix = `mix:${given.map(({ name, share }) => `${name}=${share / sum}`).join(',')}`;
      const wanted = given.reduce((total, { name, share }) => total + (share / sum) * scored(name), 0);
      assert.ok(Math.abs(scored(mix) - wanted) < 1e-9, `${mix}: ${scored(mix)} for ${wanted}`);
    }),
  );
});

test('each metric of a mix takes its own best reference and its own part of the prediction', () => {
  // qa_f1 sees the first line of a trec prediction and likes `the otter 12 river` best, exact_prefix sees the line break
  assert.equal(scored('mix:qa_f1=0.5,exact_prefix=0.5'), 0.5 * 0.8);
});

test('the weights are scaled to the sum 1, so that nothing scores above 1', () => {
  const same = { ...item, references: [item.prediction] };
  assert.deepEqual(
    mixNamed('mix:rouge_l=0.333333,rouge_1=0.333333,rouge_2=0.333333').parts.map(({ weight }) => weight),
    [1 / 3, 1 / 3, 1 / 3],
  );
  const above = scorerNamed('mix:rouge_l=0.5000005,rouge_1=0.5');
  assert.ok(Math.abs(scoreItem(above, same) - 1) < 1e-12 && scoreItem(above, same) <= 1);
});

test("weights are decimal numbers, names take LongBench's spelling", () => {
  assert.deepEqual(
    mixNamed('mix:rouge_l_score=.5,rouge_score=2.5e-1,qa_f1=0.25').parts.map(({ metric, weight }) => [
      metric.name,
      weight,
    ]),
    [
      ['rouge_l', 0.5],
      ['rouge', 0.25],
      ['qa_f1', 0.25],
    ],
  );
  assert.equal(mixNamed('mix:cosine=1').parts.length, 1);
});

test('a name without mix: is the metric itself', () => {
  const scorer: Scorer = scorerNamed('rouge_l');
  assert.equal('parts' in scorer, false);
});

test('a mix needs what any of its metrics needs', () => {
  const needs = ({ kind, needsEmbeddings, needsClasses, needsReferences, needsLogProbs }: Scorer) => [
    kind,
    needsEmbeddings,
    needsClasses,
    needsReferences,
    needsLogProbs,
  ];
  assert.deepEqual(needs(scorerNamed('mix:log_prob=1')), ['similarity', false, false, false, true]);
  assert.deepEqual(needs(scorerNamed('mix:rouge_l=0.5,cosine=0.5')), ['similarity', true, false, true, false]);
  assert.deepEqual(needs(scorerNamed('mix:log_prob=0.5,classification=0.5')), ['task', false, true, true, true]);
});

test('a mix embeds the texts of its cosine, and pauses after each reference of each metric', () => {
  assert.deepEqual(textsToEmbed(scorerNamed('mix:rouge_l=0.5,cosine=0.5'), item).length, 3);
  assert.deepEqual(textsToEmbed(scorerNamed('mix:rouge_l=0.5,rouge_1=0.5'), item), []);
  assert.equal([...scoreSteps(scorerNamed('mix:rouge_l=0.5,rouge_1=0.5'), item)].length, 4);
});

const nine = ['cosine', 'count', 'rouge', 'rouge_1', 'rouge_2', 'rouge_l', 'qa_f1', 'retrieval', 'code_sim'];
const refusals: [name: string, message: RegExp, reason?: string][] = [
  ['mix', /^m: unknown metric "mix", .*mix:<name>=<weight>/, 'unknown-metric'],
  ['mix:', /^m: a mix is mix:<name>=<weight>,\.\.\., its part "" is not <name>=<weight>$/],
  ['mix:cosine', /its part "cosine" is not/],
  ['mix:cosine=0.5,', /its part "" is not/],
  ['mix:cosine=0.5,,rouge_l=0.5', /its part "" is not/],
  ['mix:cosine=', /its part "cosine=" is not/],
  ['mix:cosine=0.5=0.5', /its part "cosine=0\.5=0\.5" is not/],
  ['mix:cosine=0x1', /is not <name>=<weight>/],
  ['mix:cosine=Infinity', /is not <name>=<weight>/],
  ['mix:cosine=NaN', /is not <name>=<weight>/],
  ['mix:cosine= 1', /is not <name>=<weight>/],
  ['mix:cosine=-0.5,rouge_l=1.5', /is not <name>=<weight>/],
  ['mix:cosine=0,rouge_l=1', /^m: the weight of cosine must be above 0 and finite$/],
  ['mix:cosine=1e999', /^m: the weight of cosine must be above 0 and finite$/],
  ['mix:bleu=1', /^m: unknown metric "bleu" in a mix$/, 'unknown-metric'],
  ['mix:=1', /^m: unknown metric "" in a mix$/, 'unknown-metric'],
  ['mix:mix:cosine=1', /^m: a mix cannot hold a mix$/, 'unknown-metric'],
  ['mix:rouge_l=0.5,rouge_l=0.5', /^m: rouge_l stands twice in the mix$/],
  ['mix:rouge_l=0.5,rouge_l_score=0.5', /^m: rouge_l stands twice in the mix$/],
  ['mix:cosine=0.5,rouge_l=0.4', /^m: the weights of a mix must sum to 1, within 0\.000001, they sum to 0\.9$/],
  ['mix:cosine=0.500002,rouge_l=0.5', /must sum to 1/],
  ['mix:cosine=0.499998,rouge_l=0.5', /must sum to 1/],
  [`mix:${nine.map((name) => `${name}=0.1`).join(',')}`, /^m: a mix holds at most 8 metrics$/],
  [`mix:${'cosine=1,'.repeat(100_000)}`, /^m: a mix holds at most 8 metrics$/],
  [`mix:${'1'.repeat(1_000_000)}`, /^m: .{0,200}$/],
];

for (const [name, message, reason] of refusals) {
  test(`${name.slice(0, 60)} is refused`, () => {
    assert.throws(
      () => scorerNamed(name, 'm'),
      (error) => {
        assert.ok(isA2sfError(error));
        assert.equal(error.code, 'INVALID_ARGUMENT');
        assert.equal(error.field, 'm');
        assert.match(error.message, message);
        if (reason !== undefined) assert.equal(error.reason, reason);
        return true;
      },
    );
  });
}

test('a mix holds up to 8 metrics', () => {
  assert.equal(
    mixNamed(
      `mix:${nine
        .slice(1)
        .map((name) => `${name}=0.125`)
        .join(',')}`,
    ).parts.length,
    8,
  );
});
