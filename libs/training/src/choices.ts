import type { Choice } from './peers.js';

/** The choices of an iteration's episodes, which come part by part. */
export interface Choices {
  /** The choice of episode k; rejects as soon as a part before it does. */
  of(k: number): Promise<Choice>;
  /** Fulfilled when the first part is there. */
  readonly first: Promise<unknown>;
  /** All of them, in order. */
  all(): Promise<Choice[]>;
}

/**
 * Asks for the choices of `count` episodes, `atOnce` at a time, one part after the other: what the first ones lead to begins
 * while the others are still chosen. `ask` is given the range of a part.
 */
export function chooseInParts(
  count: number,
  atOnce: number,
  ask: (from: number, to: number) => Promise<Choice[]>,
): Choices {
  const parts: Promise<Choice[]>[] = [];
  for (let from = 0; from < count; from += atOnce) {
    const to = Math.min(from + atOnce, count);
    const before = parts.at(-1) ?? Promise.resolve();
    parts.push(before.then(() => ask(from, to)));
  }
  for (const part of parts) part.catch(() => undefined); // told to whoever waits for it
  return {
    of: async (k) => (await parts[Math.floor(k / atOnce)]!)[k % atOnce]!,
    first: parts[0] ?? Promise.resolve(),
    all: async () => (await Promise.all(parts)).flat(),
  };
}
