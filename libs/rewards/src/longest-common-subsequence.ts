import { A2sfError } from '@a2sf/errors';

/** Longest sequence that is compared, in words or characters; it bounds one comparison to some 0.2 s. */
export const maxSequenceLength = 65_536;

const wordBits = 30; // the sum of two words and a carry stays a small integer
const wordMask = 2 ** wordBits - 1;

/**
 * Length of the longest common subsequence of x and y.
 *
 * Bit-parallel, O(|x| |y| / 30) time and O(|x|) memory: with M the mask of the places of y_j in x and V all ones,
 * V <- (V + (V & M)) | (V & ~M) for each j; the zeros left in V are the length (H. Hyyro, Bit-parallel LCS-length
 * computation revisited, 2004).
 * Throws RESOURCE_EXHAUSTED for a sequence of more than `maxSequenceLength` elements.
 */
export function lcsLength<T>(x: ArrayLike<T>, y: ArrayLike<T>): number {
  checkLength(x.length, maxSequenceLength);
  checkLength(y.length, maxSequenceLength);
  const words = Math.ceil(x.length / wordBits);
  const places = new Map<T, number[]>(); // where each element stands in x
  for (let i = 0; i < x.length; i++) {
    const list = places.get(x[i]!);
    if (list) list.push(i);
    else places.set(x[i]!, [i]);
  }
  // Setting and clearing a mask costs as much as the element occurs; the few that occur often keep theirs.
  const frequent = new Map<T, Int32Array>();
  for (const [element, list] of places) {
    if (list.length > words / 8) frequent.set(element, setPlaces(new Int32Array(words), list));
  }
  const scratch = new Int32Array(words);
  const v = new Int32Array(words).fill(wordMask);
  for (let j = 0; j < y.length; j++) {
    const list = places.get(y[j]!);
    if (!list) continue; // an empty mask leaves V as it is
    const kept = frequent.get(y[j]!);
    const mask = kept ?? setPlaces(scratch, list);
    let carry = 0;
    for (let w = 0; w < words; w++) {
      const old = v[w]!;
      const sum = old + (old & mask[w]!) + carry;
      carry = sum >>> wordBits;
      v[w] = (sum & wordMask) | (old & ~mask[w]!);
    }
    if (!kept) for (const i of list) scratch[Math.trunc(i / wordBits)] = 0;
  }
  let length = 0;
  for (let i = 0; i < x.length; i++) if ((v[Math.trunc(i / wordBits)]! & (1 << (i % wordBits))) === 0) length++;
  return length;
}

function setPlaces(mask: Int32Array, places: readonly number[]): Int32Array {
  for (const i of places) mask[Math.trunc(i / wordBits)]! |= 1 << (i % wordBits);
  return mask;
}

/** Throws RESOURCE_EXHAUSTED when a text has more elements than its metric compares in bounded time. */
export function checkLength(length: number, limit: number, unit = 'words'): void {
  if (length > limit) {
    throw new A2sfError('RESOURCE_EXHAUSTED', `text: ${length} ${unit} to compare, the limit is ${limit}`, {
      field: 'text',
      reason: 'text-too-long',
    });
  }
}
