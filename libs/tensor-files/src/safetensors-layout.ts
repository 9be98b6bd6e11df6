import { A2sfError } from '@a2sf/errors';
import { byteLengthOf, bytesPerElement, type DType } from './dtype.js';
import { quoted } from './file-error.js';
import { prefixBytes, type TensorInfo } from './safetensors-header.js';

/** A file that is still to be written: what it begins with, and where each tensor's bytes go. */
export interface SafetensorsLayout {
  /** The header with its length in front: the file's first bytes. */
  readonly head: Uint8Array;
  /** In the order of their bytes, from the end of `head` to the end of the file without a gap. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly fileBytes: number;
}

/**
 * The canonical place of every tensor, before any of their bytes are known. As in the format's reference implementation:
 * wide element types first, then by name, so that every tensor is aligned; metadata sorted by key; header padded with
 * spaces to 8 bytes. Throws INVALID_ARGUMENT for a name or a shape that cannot be written.
 */
export function layOutSafetensors(
  tensors: ReadonlyMap<string, { readonly dtype: DType; readonly shape: readonly number[] }>,
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsLayout {
  const order = [...tensors].sort(
    ([nameX, x], [nameY, y]) => bytesPerElement(y.dtype) - bytesPerElement(x.dtype) || compareNames(nameX, nameY),
  );
  const entries: string[] = [];
  const keys = Object.keys(metadata).sort(compareNames);
  if (keys.length > 0) {
    const pairs = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    entries.push(`"__metadata__":{${pairs.join(',')}}`);
  }
  let dataBytes = 0;
  const sizes = order.map(([name, { dtype, shape }]) => {
    if (name === '__metadata__' || name === '__proto__') throw A2sfError.invalid(name, 'is not a tensor name');
    const byteLength = byteLengthOf(dtype, shape);
    if (byteLength === undefined) throw A2sfError.invalid(quoted(name), `[${shape.join(', ')}] is not a shape`);
    const begin = dataBytes;
    dataBytes += byteLength;
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, dataBytes] })}`);
    return { name, dtype, shape, begin, byteLength };
  });
  const header = new TextEncoder().encode(`{${entries.join(',')}}`);
  const padded = Math.ceil(header.byteLength / 8) * 8;
  const head = new Uint8Array(prefixBytes + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(header, prefixBytes);
  const placed = sizes.map(({ begin, ...tensor }): [string, TensorInfo] => [
    tensor.name,
    { ...tensor, offset: head.byteLength + begin },
  ]);
  return { head, tensors: new Map(placed), fileBytes: head.byteLength + dataBytes };
}

/** By UTF-16 code units, independent of the locale. */
function compareNames(x: string, y: string): number {
  return x < y ? -1 : x > y ? 1 : 0;
}
