import { Random } from '@a2sf/random';

/** What the draws of one choice are a function of. */
export interface DrawSource {
  /** Of the agent. */
  readonly seed: number;
  /** Observations that the agent had learned from. */
  readonly age: number;
  readonly context: Float32Array;
  readonly key: string | undefined;
  /** Number of the draw, the caller's. */
  readonly draw: number;
}

/** Random numbers for one choice: two 32-bit hashes of the source (MurmurHash3's mixing, Appleby 2011) seed them. */
export function drawsOf({ seed, age, context, key, draw }: DrawSource): Random {
  const words = new Uint32Array(context.buffer, context.byteOffset, context.length);
  const head = [seed, age, draw].flatMap((value) => [value >>> 0, Math.floor(value / 2 ** 32) >>> 0]);
  const tail = key === undefined ? [0] : [key.length + 1, ...Array.from(key, (_, i) => key.charCodeAt(i))];
  const high = hash([...head, ...tail], words, 0x9747b28c);
  const low = hash([...head, ...tail], words, 0x3c6ef372);
  return new Random((BigInt(high) << 32n) | BigInt(low));
}

function hash(head: readonly number[], words: Uint32Array, start: number): number {
  let h = start;
  for (let i = 0; i < head.length; i++) h = mix(h, head[i]!);
  for (let i = 0; i < words.length; i++) h = mix(h, words[i]!);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function mix(h: number, word: number): number {
  const k = Math.imul(word, 0xcc9e2d51);
  const turned = h ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}
