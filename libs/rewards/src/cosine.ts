import { A2sfError } from '@a2sf/errors';
import { comparing, type Metric } from './metric.js';

/**
 * cos(x, y) = x . y / (|x| |y|) in float64, in -1..1; a zero vector gives 0.
 *
 * Both vectors are scaled by their largest component first, so that squares neither overflow nor vanish.
 * Throws INVALID_ARGUMENT for vectors of different lengths or with a component that is not finite.
 */
export function cosineSimilarity(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (x.length !== y.length) {
    throw A2sfError.invalid('embedding', `has ${x.length} components, the one compared with has ${y.length}`);
  }
  const scaleX = largest(x);
  const scaleY = largest(y);
  if (scaleX === 0 || scaleY === 0) return 0;
  let dot = 0;
  let squaresX = 0;
  let squaresY = 0;
  for (let i = 0; i < x.length; i++) {
    const u = x[i]! / scaleX;
    const v = y[i]! / scaleY;
    dot += u * v;
    squaresX += u * u;
    squaresY += v * v;
  }
  return Math.min(1, Math.max(-1, dot / Math.sqrt(squaresX * squaresY)));
}

function largest(vector: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < vector.length; i++) {
    const size = Math.abs(vector[i]!);
    if (!(size < Infinity)) throw A2sfError.invalid('embedding', `component ${i} is ${vector[i]}, must be finite`);
    if (size > max) max = size;
  }
  return max;
}

/** Cosine of the sentence embeddings of both texts (the seed's reward); texts that point apart score 0. */
export const cosine: Metric = {
  ...comparing,
  name: 'cosine',
  kind: 'similarity',
  needsEmbeddings: true,
  score: (prediction, reference, { embedding }) => cosineSimilarity(embedding(prediction), embedding(reference)),
};
