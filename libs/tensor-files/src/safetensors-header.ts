import { byteLengthOf, bytesPerElement, isDType, type DType } from './dtype.js';
import { damaged, quoted } from './file-error.js';
import { parseStrictJson, StrictJsonError, type StrictJson } from './strict-json.js';

/** Where one tensor lies in its file. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

/** What the header of a safetensors file tells. */
export interface SafetensorsHeader {
  /** `__metadata__`, without a prototype. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** Bytes in front of the header: its length, little-endian u64. */
export const prefixBytes = 8;

/** Longest header that is read. Real ones take some 100 bytes a tensor; the format itself allows 100 MB. */
export const maxHeaderBytes = 16 * 1024 * 1024;

const limits = { maxDepth: 3, maxValues: 1_000_000 };
const maxRank = 32;

/** The header's length from the first 8 bytes of a file of `fileBytes`. Throws DATA_LOSS when it cannot be. */
export function headerLength(prefix: Uint8Array, fileBytes: number, file: string): number {
  if (prefix.byteLength < prefixBytes) throw damaged(file, `${fileBytes} bytes are too few for a safetensors file`);
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw damaged(file, `a header of ${length} bytes is over the limit of ${maxHeaderBytes}`);
  }
  if (Number(length) > fileBytes - prefixBytes) {
    throw damaged(file, `a header of ${length} bytes does not fit into a file of ${fileBytes}`);
  }
  return Number(length);
}

/**
 * Reads the header of a safetensors file:
 * `{"__metadata__"?: {key: text}, name: {"dtype", "shape", "data_offsets": [begin, end]}}`, offsets from the header's end.
 * As in the format's reference implementation the tensors cover the data without gap or overlap, and
 * end - begin = prod(shape) * bytes of the dtype. Throws DATA_LOSS naming the file and the tensor.
 */
export function parseHeader(header: Uint8Array, fileBytes: number, file: string): SafetensorsHeader {
  const root = parseJson(header, file);
  const metadata: Record<string, string> = Object.create(null) as Record<string, string>;
  const dataStart = prefixBytes + header.byteLength;
  const infos: TensorInfo[] = [];
  for (const [name, value] of root) {
    if (name === '__proto__') throw damaged(file, 'a tensor may not be named "__proto__"');
    if (name === '__metadata__') readMetadata(value, metadata, file);
    else infos.push(readTensorInfo(name, value, dataStart, fileBytes, file));
  }
  infos.sort((x, y) => x.offset - y.offset || x.byteLength - y.byteLength);
  let end = dataStart;
  for (const info of infos) {
    if (info.offset !== end) {
      const problem = info.offset < end ? 'overlaps the tensor before it' : 'leaves a gap to the tensor before it';
      throw damaged(file, problem, info.name);
    }
    end += info.byteLength;
  }
  if (end !== fileBytes) throw damaged(file, `${fileBytes} bytes long where its header says ${end}`);
  return { metadata, tensors: new Map(infos.map((info) => [info.name, info])) };
}

function parseJson(header: Uint8Array, file: string): Map<string, StrictJson> {
  try {
    const root = parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header), limits);
    if (root instanceof Map) return root;
  } catch (error) {
    throw damaged(file, `the header is ${error instanceof StrictJsonError ? `broken: ${error.message}` : 'not UTF-8'}`);
  }
  throw damaged(file, 'the header is not an object');
}

function readMetadata(value: StrictJson, into: Record<string, string>, file: string): void {
  if (!(value instanceof Map)) throw damaged(file, '__metadata__ is not an object');
  for (const [key, text] of value) {
    if (key === '__proto__') throw damaged(file, 'a metadata key may not be "__proto__"');
    if (typeof text !== 'string') throw damaged(file, `__metadata__ ${quoted(key)} is not a string`);
    into[key] = text;
  }
}

function readTensorInfo(
  name: string,
  value: StrictJson,
  dataStart: number,
  fileBytes: number,
  file: string,
): TensorInfo {
  if (!(value instanceof Map)) throw damaged(file, 'its entry is not an object', name);
  const dtype = value.get('dtype');
  if (!isDType(dtype)) {
    throw damaged(file, `dtype ${typeof dtype === 'string' ? quoted(dtype) : 'missing'} is not known`, name);
  }
  const shape = value.get('shape');
  if (!isNumbers(shape) || shape.length > maxRank) throw damaged(file, 'shape is not a list of dimensions', name);
  const byteLength = byteLengthOf(dtype, shape);
  if (byteLength === undefined) throw damaged(file, 'shape is negative, fractional or too large', name);
  const range = value.get('data_offsets');
  const [begin, end] = isNumbers(range) && range.length === 2 ? range : [];
  if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end)) {
    throw damaged(file, 'data_offsets is not a pair of whole numbers', name);
  }
  if (begin! < 0 || end! < begin! || end! > fileBytes - dataStart) {
    throw damaged(file, `data_offsets [${begin}, ${end}] lie outside the file`, name);
  }
  if (end! - begin! !== byteLength) {
    throw damaged(
      file,
      `${end! - begin!} bytes for ${shape.join('x')} elements of ${bytesPerElement(dtype)} bytes`,
      name,
    );
  }
  return { name, dtype, shape, offset: dataStart + begin!, byteLength };
}

function isNumbers(value: StrictJson | undefined): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}
