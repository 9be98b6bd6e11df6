/**
 * Groups texts of one length into runs, so that nothing is ever padded and no text sees another's length.
 * @param lengths tokens of every text; blank ones (0) are left out.
 * @param maxTokens most tokens of a run; a longer text is a run of its own.
 * @returns indices of texts by run: runs in the order of their first text, texts in their order.
 */
export function equalLengthBatches(lengths: readonly number[], maxTokens: number): number[][] {
  const open = new Map<number, number[]>();
  const batches: number[][] = [];
  for (const [i, length] of lengths.entries()) {
    if (length === 0) continue;
    const batch = open.get(length);
    if (batch !== undefined && (batch.length + 1) * length <= maxTokens) {
      batch.push(i);
    } else {
      const fresh = [i];
      open.set(length, fresh);
      batches.push(fresh);
    }
  }
  return batches;
}
