import { createHash } from 'node:crypto';
import type { EncodeInput } from '@a2sf/inference';

/**
 * SHA-256(encoder_id, NUL, kind, content): the identity of an embedding. The content is the text's UTF-16 units or the ids
 * as unsigned 32-bit integers; the kind keeps the two apart.
 */
export function embeddingKey(encoderId: string, input: EncodeInput): string {
  const hash = createHash('sha256').update(`${encoderId}\0`);
  if ('text' in input) hash.update('t').update(input.text, 'utf16le');
  else hash.update('i').update(Uint32Array.from(input.ids));
  return hash.digest('base64url');
}
