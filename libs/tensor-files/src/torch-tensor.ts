import { byteLengthOf, bytesPerElement, type DType } from './dtype.js';
import { damaged } from './file-error.js';
import { PickleCall, PickleGlobal, PickleReference, type PickleValue } from './pickle-value.js';
import type { ZipMember } from './zip-directory.js';

/** Where a tensor of a PyTorch file lies. */
export class TorchTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Elements between neighbours along each dimension. */
  readonly strides: readonly number[];
  /** Bytes from the start of the file to the first element. */
  readonly offset: number;
  /** Bytes of all elements: those that follow `offset`, when the tensor is contiguous. */
  readonly byteLength: number;
  /** True when the elements follow each other row by row, as a reader of raw bytes needs it. */
  readonly isContiguous: boolean;

  constructor(fields: Omit<TorchTensor, 'isContiguous'>) {
    this.dtype = fields.dtype;
    this.shape = fields.shape;
    this.strides = fields.strides;
    this.offset = fields.offset;
    this.byteLength = fields.byteLength;
    this.isContiguous = followRowByRow(fields.shape, fields.strides);
  }
}

/** The functions that rebuild a tensor: the only calls of a file that are read, and they are not made either. */
const rebuildTensor = 'torch._utils._rebuild_tensor_v2';
const rebuildParameter = 'torch._utils._rebuild_parameter';
export const torchCalls: ReadonlySet<string> = new Set([rebuildTensor, rebuildParameter]);

const storageTypes: ReadonlyMap<string, DType> = new Map([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);
const maxRank = 32;

interface Storage {
  readonly dtype: DType;
  readonly elements: number;
  readonly offset: number;
}

/**
 * The tensor that a call of a file describes: `_rebuild_tensor_v2(storage, storage_offset, size, stride, ...)`, or
 * `_rebuild_parameter(tensor, ...)`. `memberOf` finds a storage by its key. Throws DATA_LOSS unless every element lies in
 * the storage.
 */
export function readTorchTensorCall(
  call: PickleCall,
  memberOf: (key: string) => ZipMember | undefined,
  file: string,
): TorchTensor {
  const [first, ...rest] = call.args;
  if (call.name === rebuildParameter) {
    if (!(first instanceof PickleCall) || first.name !== rebuildTensor) throw damaged(file, 'a parameter is no tensor');
    return readTorchTensorCall(first, memberOf, file);
  }
  const storage = readStorage(first, memberOf, file);
  const { dtype } = storage;
  const [start, shape, strides] = rest;
  if (!isCount(start)) throw damaged(file, 'a tensor has no storage offset');
  if (!isCounts(shape) || !isCounts(strides) || shape.length !== strides.length || shape.length > maxRank) {
    throw damaged(file, 'a tensor has no shape, or strides that do not fit it');
  }
  const byteLength = byteLengthOf(dtype, shape);
  const last = byteLength === 0 ? -1 : shape.reduce((at, length, i) => at + (length - 1) * strides[i]!, start);
  if (byteLength === undefined || !(last < storage.elements) || start > storage.elements) {
    throw damaged(file, `a tensor of shape [${shape.slice(0, 8).join(', ')}] reaches over the end of its storage`);
  }
  const width = bytesPerElement(dtype);
  if (byteLength > storage.elements * width) {
    throw damaged(file, `a tensor of shape [${shape.slice(0, 8).join(', ')}] is larger than its storage`);
  }
  return new TorchTensor({ dtype, shape, strides, byteLength, offset: storage.offset + start * width });
}

/** The elements of a tensor that is not contiguous, row by row; `bytes` begin with its first element. */
export function gatherRows({ dtype, shape, strides, byteLength }: TorchTensor, bytes: Uint8Array): Uint8Array {
  const width = bytesPerElement(dtype);
  const out = new Uint8Array(byteLength);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < byteLength; to += width) {
    for (let i = 0; i < width; i++) out[to + i] = bytes[from * width + i]!;
    for (let d = shape.length - 1; d >= 0; d--) {
      from += strides[d]!;
      if (++index[d]! < shape[d]!) break;
      from -= strides[d]! * shape[d]!;
      index[d] = 0;
    }
  }
  return out;
}

/** Bytes from the first to the last element of a tensor, both included. */
export function spanOf({ dtype, shape, strides, byteLength }: TorchTensor): number {
  if (byteLength === 0) return 0;
  return bytesPerElement(dtype) * shape.reduce((span, length, i) => span + (length - 1) * strides[i]!, 1);
}

/** A storage by its id: `('storage', type, key, device, number of elements)`. */
function readStorage(
  reference: PickleValue | undefined,
  memberOf: (key: string) => ZipMember | undefined,
  file: string,
): Storage {
  const id = reference instanceof PickleReference && Array.isArray(reference.id) ? reference.id : [];
  const [kind, type, key, , elements] = id as readonly PickleValue[];
  if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string' || !isCount(elements)) {
    throw damaged(file, 'a tensor has no storage');
  }
  const dtype = storageTypes.get(type.name);
  if (dtype === undefined) throw damaged(file, `storage type ${JSON.stringify(type.name.slice(0, 80))} is not known`);
  const member = memberOf(key);
  if (member === undefined) throw damaged(file, `storage ${JSON.stringify(key.slice(0, 80))} is missing`);
  if (member.byteLength !== elements * bytesPerElement(dtype)) {
    throw damaged(
      file,
      `storage ${JSON.stringify(key.slice(0, 80))}: ${member.byteLength} bytes for ${elements} ${dtype}`,
    );
  }
  return { dtype, elements, offset: member.offset };
}

/** Dimensions of one element may have any stride. */
function followRowByRow(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && strides[d] !== expected) return false;
    expected *= shape[d]!;
  }
  return true;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}
