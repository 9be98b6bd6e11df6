import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TokenSampler, type SamplingOptions } from './token-sampler.js';

const plain: SamplingOptions = { temperature: 1, repetitionPenalty: 1, topK: 0, topP: 1, minP: 0, seed: 1 };
const logits = Float32Array.from([0.5, 0.3, 0.15, 0.05], Math.log);

/** Shares of `draws` draws, each with a seed of its own. */
function shares(
  options: Partial<SamplingOptions>,
  of = logits,
  prompt: readonly number[] = [],
  draws = 20_000,
): number[] {
  const counts = Array.from(of, () => 0);
  for (let seed = 0; seed < draws; seed++)
    counts[new TokenSampler({ ...plain, ...options, seed }, prompt).draw(of)]! += 1 / draws;
  return counts;
}
const near = (actual: readonly number[], expected: readonly number[]): void =>
  // Five standard deviations of a share over 20,000 draws are below 0.018.
  actual.forEach((share, i) => assert.ok(Math.abs(share - expected[i]!) < 0.018, actual.join(' ')));

test('tokens are drawn with the probabilities of the softmax', () => near(shares({}), [0.5, 0.3, 0.15, 0.05]));

test('temperature 0.5 squares the probabilities', () => {
  const total = 0.25 + 0.09 + 0.0225 + 0.0025;
  near(shares({ temperature: 0.5 }), [0.25 / total, 0.09 / total, 0.0225 / total, 0.0025 / total]);
});

test('top_k keeps the most probable ones', () => near(shares({ topK: 2 }), [0.625, 0.375, 0, 0]));

test('top_p keeps the fewest that reach it', () => {
  near(shares({ topP: 0.7 }), [0.625, 0.375, 0, 0]);
  near(shares({ topP: 0.01 }), [1, 0, 0, 0]);
});

test('min_p keeps those with a share of the largest', () =>
  near(shares({ minP: 0.25 }), [0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0]));

test('restrictions follow each other: top_p counts what top_k has left', () => {
  near(shares({ topK: 2, topP: 0.6 }), [1, 0, 0, 0]); // 0.625 of the two
});

test('the repetition penalty lowers what was there before, whatever the sign of its logit', () => {
  const of = Float32Array.of(2, 2, -2, -2);
  const weights = [Math.exp(1), Math.exp(2), Math.exp(-4), Math.exp(-2)];
  const total = weights.reduce((x, y) => x + y);
  near(
    shares({ repetitionPenalty: 2 }, of, [0, 2]),
    weights.map((w) => w / total),
  );
});

test('a drawn token counts as repeated from then on', () => {
  const sampler = new TokenSampler({ ...plain, topK: 1, repetitionPenalty: 10 }, []);
  assert.deepEqual(
    [1, 2, 3].map(() => sampler.draw(Float32Array.of(3, 2, 1))),
    [0, 1, 2],
  );
});

test('the same seed draws the same tokens', () => {
  const run = (seed: number): number[] => {
    const sampler = new TokenSampler({ ...plain, seed }, []);
    return Array.from({ length: 50 }, () => sampler.draw(logits));
  };
  assert.deepEqual(run(5), run(5));
  assert.notDeepEqual(run(5), run(6));
});

test('any finite logits and options give a token that exists', () => {
  const options = fc.record({
    temperature: fc.double({ min: 1e-3, max: 100, noNaN: true }),
    repetitionPenalty: fc.double({ min: 0.01, max: 100, noNaN: true }),
    topK: fc.nat(5),
    topP: fc.double({ min: 1e-6, max: 1, noNaN: true }),
    minP: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(),
  });
  const anyLogits = fc.array(fc.float({ min: -1e4, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(options, anyLogits, (o, values) => {
      const token = new TokenSampler(o, [0]).draw(Float32Array.from(values));
      assert.ok(Number.isInteger(token) && token >= 0 && token < values.length);
    }),
  );
});
