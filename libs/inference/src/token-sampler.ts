import { Random } from '@a2sf/random';

/** How tokens are drawn. The restrictions are applied in this order, each to what the one before has left. */
export interface SamplingOptions {
  /** > 0; logits are divided by it. */
  readonly temperature: number;
  /** > 0; 1 = none. Logits of tokens that were there before: positive ones are divided by it, negative ones multiplied. */
  readonly repetitionPenalty: number;
  /** The most probable tokens that are kept; 0 = all. */
  readonly topK: number;
  /** The probability that the most probable kept tokens must reach together; 1 = all. */
  readonly topP: number;
  /** The share of the largest probability that a kept token must have; 0 = all. */
  readonly minP: number;
  readonly seed: number;
}

/**
 * Draws tokens: p_i = softmax(penalised logit_i / temperature) over the kept tokens, in the order that transformers
 * applies its processors (repetition penalty, arXiv 1909.05858; top-k, arXiv 1805.04833; top-p, arXiv 1904.09751;
 * min-p, arXiv 2407.01082). Equal logits: the lower id counts as more probable. The same seed draws the same tokens.
 */
export class TokenSampler {
  private readonly random: Random;
  private readonly seen: Set<number>;

  /** @param prompt token ids that the repetition penalty knows from the beginning. */
  constructor(
    private readonly options: SamplingOptions,
    prompt: readonly number[],
  ) {
    this.random = new Random(options.seed);
    this.seen = new Set(prompt);
  }

  /** Draws the next token from its logits [V] and remembers it. */
  draw(logits: Float32Array): number {
    const weights = this.weights(logits);
    let left = this.random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    let chosen = weights.findIndex((weight) => (left -= weight) < 0);
    if (chosen < 0) chosen = weights.findLastIndex((weight) => weight > 0); // the sum was rounded up
    this.seen.add(chosen);
    return chosen;
  }

  /** [V] in proportion to the probabilities, the largest 1; tokens that are not kept have 0. */
  private weights(logits: Float32Array): Float64Array {
    const { temperature, topK, topP, minP } = this.options;
    const scores = this.penalised(logits);
    const largest = scores.reduce((max, score) => Math.max(max, score), -Infinity);
    const weights = Float64Array.from(scores, (score) => Math.exp((score - largest) / temperature));
    if (topK > 0 || topP < 1) {
      const descending = weights
        .slice()
        .sort()
        .reverse()
        .subarray(0, topK > 0 ? topK : weights.length);
      keepLargest(weights, topP < 1 ? descending.subarray(0, countToReach(descending, topP)) : descending);
    }
    return minP > 0 ? weights.map((weight) => (weight >= minP ? weight : 0)) : weights;
  }

  private penalised(logits: Float32Array): Float32Array {
    const penalty = this.options.repetitionPenalty;
    if (penalty === 1) return logits;
    const scores = logits.slice();
    for (const token of this.seen) {
      const logit = scores[token]!;
      scores[token] = logit > 0 ? logit / penalty : logit * penalty;
    }
    return scores;
  }
}

/** How many of the first weights reach a share of their sum; at least one. */
function countToReach(descending: Float64Array, share: number): number {
  let missing = share * descending.reduce((sum, weight) => sum + weight, 0);
  const last = descending.findIndex((weight) => (missing -= weight) <= 0);
  return last < 0 ? descending.length : last + 1;
}

/** Sets all weights but the largest ones to 0; of equal weights at the cut the first stay. */
function keepLargest(weights: Float64Array, largest: Float64Array): void {
  const cut = largest.at(-1)!;
  let ties = largest.length - largest.indexOf(cut);
  weights.forEach((weight, token) => {
    if (weight > cut || (weight === cut && ties-- > 0)) return;
    weights[token] = 0;
  });
}
