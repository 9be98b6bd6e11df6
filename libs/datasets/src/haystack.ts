import { A2sfError } from '@a2sf/errors';
import type { Random } from '@a2sf/random';

/** An endless supply of sentences to hide something in. */
export type Haystack = (random: Random) => Generator<string, never>;

const subjects = ['gardener', 'captain', 'librarian', 'painter', 'miller', 'courier', 'teacher', 'weaver', 'pilot'];
const verbs = ['repaired', 'described', 'carried', 'measured', 'borrowed', 'forgot', 'sketched', 'counted', 'polished'];
const objects = ['lantern', 'ladder', 'kettle', 'compass', 'basket', 'drum', 'window', 'barrel', 'carpet', 'bell'];
const qualities = ['old', 'green', 'heavy', 'narrow', 'bright', 'broken', 'quiet', 'wooden', 'round', 'cold'];
const places = ['by the river', 'near the station', 'in the attic', 'behind the mill', 'at the market', 'on the hill'];
const times = ['in the morning', 'before supper', 'on a rainy day', 'late at night', 'in early spring', 'after lunch'];

/** Sentences of a small grammar: no numbers, so that no sentence looks like what is hidden. */
export const builtInHaystack: Haystack = function* (random) {
  const one = (words: readonly string[]) => words[random.below(words.length)]!;
  for (;;) {
    const deed = `The ${one(qualities)} ${one(subjects)} ${one(verbs)} the ${one(qualities)} ${one(objects)}`;
    yield `${deed} ${one(places)} ${one(times)}.`;
  }
};

/** The sentences of texts in their order, from a random one on and from the first again after the last. Throws INVALID_ARGUMENT when there is none. */
export function haystackOf(texts: readonly string[]): Haystack {
  const sentences = texts.flatMap((text) =>
    text
      .split(/(?<=[.!?])\s+|(?<=[。！？])\s*|\n+/u)
      .map((sentence) => sentence.trim())
      .filter((sentence) => sentence !== ''),
  );
  if (sentences.length === 0) throw A2sfError.invalid('haystack', 'holds no sentence');
  return function* (random) {
    for (let at = random.below(sentences.length); ; at = (at + 1) % sentences.length) yield sentences[at]!;
  };
}
