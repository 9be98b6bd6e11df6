import { A2sfError } from '@a2sf/errors';
import type { DType } from './dtype.js';
import { quoted } from './file-error.js';
import type { ByteSource } from './byte-source.js';
import { headerLength, parseHeader, prefixBytes, type SafetensorsHeader } from './safetensors-header.js';
import { layOutSafetensors } from './safetensors-layout.js';

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

/** Reads the header of a file, and no tensor of it. Throws DATA_LOSS. */
export function readSafetensorsHeader(source: ByteSource, file = 'safetensors'): SafetensorsHeader {
  const { byteLength } = source;
  const length = headerLength(source.read(0, Math.min(prefixBytes, byteLength)), byteLength, file);
  return parseHeader(source.read(prefixBytes, length), byteLength, file);
}

/**
 * The canonical file of some tensors: equal content gives equal bytes whatever the order of insertion (see
 * {@link layOutSafetensors}). Throws INVALID_ARGUMENT when a shape does not fit its data.
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const layout = layOutSafetensors(tensors, metadata);
  const bytes = new Uint8Array(layout.fileBytes);
  bytes.set(layout.head);
  for (const { name, offset, byteLength } of layout.tensors.values()) {
    const { dtype, shape, data } = tensors.get(name)!;
    if (data.byteLength !== byteLength) {
      throw A2sfError.invalid(quoted(name), `${data.byteLength} bytes do not fill ${dtype} [${shape.join(', ')}]`);
    }
    bytes.set(data, offset);
  }
  return bytes;
}
