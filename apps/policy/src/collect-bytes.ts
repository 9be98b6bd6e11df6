import { A2sfError } from '@a2sf/errors';

/** The bytes of a checkpoint in one piece. Throws RESOURCE_EXHAUSTED over the limit, INVALID_ARGUMENT when there are none. */
export async function collectBytes(
  pieces: AsyncIterable<{ readonly data: Uint8Array }>,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const { data } of pieces) {
    length += data.byteLength;
    if (length > limit) {
      throw new A2sfError('RESOURCE_EXHAUSTED', `data: over ${limit} bytes, the limit (--max_checkpoint_bytes)`, {
        field: 'data',
        reason: 'checkpoint-too-large',
      });
    }
    if (data.byteLength > 0) chunks.push(data); // empty ones would grow the list without counting
  }
  if (length === 0) throw A2sfError.invalid('data', 'holds no bytes');
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
