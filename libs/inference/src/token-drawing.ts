import type { GenerateInput, TokenLogProb } from './language-model-types.js';
import { tokenLogProb } from './log-probabilities.js';
import { TokenSampler } from './token-sampler.js';

/** Draws the next tokens of one text from their logits. */
export interface TokenDrawing {
  readonly draw: (logits: Float32Array) => number;
  /** The log-probabilities of the token drawn last, where they are wanted. */
  readonly told: TokenLogProb | undefined;
}

/** How tokens are drawn where they are sampled or their log-probabilities are wanted; undefined: the graph takes the most probable. */
export function tokenDrawing(
  { sampling, logprobs }: Pick<GenerateInput, 'sampling' | 'logprobs'>,
  promptIds: readonly number[],
): TokenDrawing | undefined {
  if (sampling === undefined && logprobs === undefined) return undefined;
  const sampler = sampling && new TokenSampler(sampling, promptIds);
  let told: TokenLogProb | undefined;
  const draw = (logits: Float32Array): number => {
    const token = sampler?.draw(logits) ?? mostProbable(logits);
    if (logprobs !== undefined) told = tokenLogProb(logits, token, logprobs);
    return token;
  };
  return {
    draw,
    get told() {
      return told;
    },
  };
}

/** The index of the largest logit, the lowest on ties. */
const mostProbable = (logits: Float32Array): number =>
  logits.reduce((best, logit, id) => (logit > logits[best]! ? id : best), 0);
