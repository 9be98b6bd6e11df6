/** Share of the prompts that are held out for evaluation. */
const evaluationShare = 0.2;

/** What is told apart by its text. */
interface Hashed {
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
}

/**
 * Splits prompts by their hashes alone: a prompt stands on the same side in every file and every order. One at least on
 * each side, as far as there are two different ones.
 */
export function split<P extends Hashed>(all: readonly P[]): { readonly train: P[]; readonly evaluation: P[] } {
  const hashes = [...new Set(all.map((prompt) => prompt.hash))].sort();
  const below = hashes.filter((hash) => Number.parseInt(hash.slice(0, 8), 16) < evaluationShare * 2 ** 32).length;
  const held = new Set(hashes.slice(0, Math.min(Math.max(below, 1), Math.max(hashes.length - 1, 1))));
  return {
    train: all.filter((prompt) => !held.has(prompt.hash)),
    evaluation: all.filter((prompt) => held.has(prompt.hash)),
  };
}

/** The last of each text. */
export function withoutRepeats<P extends Hashed>(prompts: readonly P[]): P[] {
  return [...new Map(prompts.map((prompt) => [prompt.hash, prompt])).values()];
}

/** The prompts of the lowest hashes, in the order they came: a choice that neither file order nor seed has a part in. */
export function lowest<P extends Hashed>(prompts: readonly P[], count: number): P[] {
  if (count === 0 || prompts.length <= count) return [...prompts];
  const chosen = new Set(
    prompts
      .map((prompt) => prompt.hash)
      .sort()
      .slice(0, count),
  );
  return prompts.filter((prompt) => chosen.has(prompt.hash));
}
