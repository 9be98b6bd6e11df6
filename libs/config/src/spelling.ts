import type { Option, Options } from './option.js';

/** `maxMessageBytes` -> `max_message_bytes`. */
export function snakeCase(key: string): string {
  return key.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}

/** The name of an option behind `--`. */
export function flagOf(key: string, option: Option): string {
  return option.flag ?? snakeCase(key);
}

/** The environment variable of an option. */
export function envOf(key: string, option: Option): string {
  return option.env ?? `A2SF_${snakeCase(key).toUpperCase()}`;
}

/** The keys of options by their flag. */
export function keysByFlag(options: Options): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const [key, option] of Object.entries(options)) {
    const flag = flagOf(key, option);
    if (keys.has(flag)) throw new Error(`two options are called --${flag}`);
    keys.set(flag, key);
  }
  return keys;
}

/**
 * Levenshtein distance: D[i][j] = min(D[i-1][j] + 1, D[i][j-1] + 1, D[i-1][j-1] + (a[i] != b[j])). Two rows are kept.
 */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The known word closest to a mistyped one, when it is close enough to be meant. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const short = word.slice(0, 64);
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(short.length * 0.4)) + 1;
  for (const candidate of known) {
    const d = distance(short, candidate);
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  return best;
}
