import { A2sfError } from '@a2sf/errors';
import { byteLengthOf, bytesPerElement, type DType } from './dtype.js';
import { quoted } from './file-error.js';
import { headerLength, parseHeader, prefixBytes } from './safetensors-header.js';

/** A tensor in memory: row-major, little-endian. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** The content of a safetensors file. */
export interface SafetensorsContent {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Map<string, Tensor>;
}

/** Reads a whole file from memory; each tensor's data is a copy. `file` is its name in errors. Throws DATA_LOSS. */
export function parseSafetensors(bytes: Uint8Array, file = 'safetensors'): SafetensorsContent {
  const length = headerLength(bytes, bytes.byteLength, file);
  const header = parseHeader(bytes.subarray(prefixBytes, prefixBytes + length), bytes.byteLength, file);
  const tensors = new Map<string, Tensor>();
  for (const { name, dtype, shape, offset, byteLength } of header.tensors.values()) {
    const data = new Uint8Array(byteLength); // its own buffer: aligned for every element type, whatever the file says
    data.set(bytes.subarray(offset, offset + byteLength));
    tensors.set(name, { dtype, shape, data });
  }
  return { metadata: header.metadata, tensors };
}

/**
 * The canonical file of some tensors: equal content gives equal bytes whatever the order of insertion. As in the format's
 * reference implementation: wide element types first, then by name, so that every tensor is aligned; metadata sorted by
 * key; header padded with spaces to 8 bytes. Throws INVALID_ARGUMENT when a shape does not fit its data.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
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
  for (const [name, { dtype, shape, data }] of order) {
    if (name === '__metadata__' || name === '__proto__') throw A2sfError.invalid(name, 'is not a tensor name');
    if (data.byteLength !== byteLengthOf(dtype, shape)) {
      throw A2sfError.invalid(quoted(name), `${data.byteLength} bytes do not fill ${dtype} [${shape.join(', ')}]`);
    }
    const offsets = [dataBytes, dataBytes + data.byteLength];
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`);
    dataBytes += data.byteLength;
  }
  const header = new TextEncoder().encode(`{${entries.join(',')}}`);
  const padded = Math.ceil(header.byteLength / 8) * 8;
  const bytes = new Uint8Array(prefixBytes + padded + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.fill(0x20, prefixBytes, prefixBytes + padded);
  bytes.set(header, prefixBytes);
  let at = prefixBytes + padded;
  for (const [, { data }] of order) {
    bytes.set(data, at);
    at += data.byteLength;
  }
  return bytes;
}

/** By UTF-16 code units, independent of the locale. */
function compareNames(x: string, y: string): number {
  return x < y ? -1 : x > y ? 1 : 0;
}
