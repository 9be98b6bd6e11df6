import { createHash } from 'node:crypto';
import { endianness } from 'node:os';

/** The first 32 hexadecimal digits of the SHA-256 of a context's float32 values, little-endian. */
export function contextHash(context: Float32Array): string {
  return createHash('sha256').update(littleEndian(context)).digest('hex').slice(0, 32);
}

function littleEndian(context: Float32Array): Uint8Array {
  if (endianness() === 'LE') return new Uint8Array(context.buffer, context.byteOffset, context.byteLength);
  const bytes = new DataView(new ArrayBuffer(context.byteLength));
  for (let i = 0; i < context.length; i++) bytes.setFloat32(i * 4, context[i]!, true);
  return new Uint8Array(bytes.buffer);
}
