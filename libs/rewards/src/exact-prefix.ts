import { textMetric, type Metric } from './metric.js';

/**
 * Share of the reference's characters that the prediction reproduces from the start: |common prefix| / |reference|.
 * Characters are Unicode code points and nothing is trimmed or folded; text after the whole reference costs nothing.
 * Greedy decoding never returns to the full cache's text by itself, so the place where it leaves tells how much was lost.
 */
export const exactPrefix: Metric = textMetric('exact_prefix', 'similarity', (prediction, reference) => {
  const predicted = prediction[Symbol.iterator]();
  let common = 0;
  let length = 0;
  let same = true;
  for (const character of reference) {
    length++;
    same &&= predicted.next().value === character;
    if (same) common++;
  }
  return common / length;
});
