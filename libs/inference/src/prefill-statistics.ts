/** Positions at the prompt's start that draw attention whatever they say. */
const sinks = 4;

/** How a layer's windowed scores are spread over the prompt. */
export interface ScoreStatistics {
  /** -sum of p ln p / ln n, 0..1: 1 where all positions score the same, 0 where one has it all. */
  readonly entropy: number;
  /** p(0) + p(1) + p(2) + p(3), 0..1. */
  readonly sinkMass: number;
}

/**
 * Statistics of one layer's windowed scores s [G, n], each a mean over the G KV heads of what p(k) = s(k) / (sum of s) gives:
 *
 *   entropy  = -sum over k of p(k) ln p(k) / ln n     (0 ln 0 = 0; 0 for n = 1, where nothing can spread)
 *   sinkMass = sum of p(k) over k < min(4, n)
 *
 * Both are the same for every positive multiple of the scores. With t = sum of s, the entropy is ln t - (sum of s ln s) / t.
 * A head whose scores are all 0 has p = 1 / n. Scores are at least 0 and finite. O(G n), in double precision.
 */
export function scoreStatistics(scores: Float32Array, n: number): ScoreStatistics {
  const heads = scores.length / n;
  let entropies = 0;
  let masses = 0;
  for (let head = 0; head < heads; head++) {
    const row = scores.subarray(head * n, (head + 1) * n);
    let total = 0;
    let weighted = 0;
    let first = 0;
    row.forEach((score, k) => {
      if (score === 0) return;
      total += score;
      weighted += score * Math.log(score);
      if (k < sinks) first += score;
    });
    const spread = total === 0 ? Math.log(n) : Math.log(total) - weighted / total;
    entropies += n === 1 ? 0 : spread / Math.log(n);
    masses += total === 0 ? Math.min(sinks, n) / n : first / total;
  }
  return { entropy: within(entropies / heads), sinkMass: within(masses / heads) };
}

/** Rounding may leave a sum a little outside of 0..1. */
const within = (value: number): number => Math.min(1, Math.max(0, value));
