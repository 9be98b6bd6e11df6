import { A2sfError } from '@a2sf/errors';

/** Splits items into groups of `size` at most, for one call each. */
export function* parts<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** The answers, one for each item that was asked for. Throws INTERNAL otherwise. */
export function sameLength<T extends readonly unknown[]>(peer: string, answers: T, asked: number): T {
  if (answers.length === asked) return answers;
  throw malformed(peer, `${asked} items were asked for, ${answers.length} answered`);
}

/** INTERNAL: an answer that cannot be right. */
export function malformed(peer: string, problem: string): A2sfError {
  return new A2sfError('INTERNAL', `${peer}: ${problem}`, { field: peer, reason: 'malformed-answer' });
}
