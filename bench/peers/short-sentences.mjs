// The sentences that every encoder of the comparison reads; sentence_transformers_speed.py makes the same ones.
const words = (
  'the river mill a letter old captain found under stone bridge while children of village were counting lamps and ' +
  'nobody had seen where her grey horse went after rain'
).split(' ');

/** Sentence i has 6 + i mod 9 words; its j-th is word (7919 i + 104729 j + i j) mod 29, and its number ends it. */
export function shortSentences(count) {
  return Array.from({ length: count }, (_, i) => {
    const chosen = Array.from(
      { length: 6 + (i % 9) },
      (_, j) => words[(7919 * i + 104_729 * j + i * j) % words.length],
    );
    return `${chosen.join(' ')} ${i}.`;
  });
}
