import { A2sfError } from '@a2sf/errors';
import { requireAtMost } from './upload.js';

/** The bytes of a checkpoint in one piece. Throws RESOURCE_EXHAUSTED over the limit, INVALID_ARGUMENT when there are none. */
export async function collectBytes(
  pieces: AsyncIterable<{ readonly data: Uint8Array }>,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const { data } of pieces) {
    length += data.byteLength;
    requireAtMost(length, limit);
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
