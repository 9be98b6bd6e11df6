import { fstatSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { crc32 } from './crc32.js';
import { damaged, quoted, unsupported } from './file-error.js';
import { readAt, withFile } from './file-reading.js';
import { maxPickleBytes, readPickle } from './pickle-reader.js';
import { PickleCall, PickleGlobal, PickleObject, PickleReference, type PickleValue } from './pickle-value.js';
import type { TensorInfo } from './safetensors-header.js';
import { gatherRows, readTorchTensorCall, spanOf, torchCalls, TorchTensor } from './torch-tensor.js';
import { readZipDirectory, type ZipMember } from './zip-directory.js';

/** An instance of some class in a PyTorch file, as plain data: its class was never looked for. */
export class TorchObject {
  readonly className: string;
  /** Its attributes, as a rule. */
  readonly state: TorchValue;

  constructor(className: string, state: TorchValue) {
    this.className = className;
    this.state = state;
  }
}

/** What a PyTorch file holds: plain data with tensors in it. A tuple is an array as a list is. */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly TorchValue[]
  | ReadonlyMap<TorchValue, TorchValue>
  | TorchTensor
  | TorchObject;

/** A tensor of a file with its name. */
export type NamedTorchTensor = TensorInfo & Pick<TorchTensor, 'strides' | 'isContiguous'>;

/** A PyTorch file whose structure was read; its tensors are read one by one. */
export interface TorchFile {
  readonly path: string;
  /** What was saved. */
  readonly tree: TorchValue;
  /**
   * Every tensor in the tree by the keys on the way to it: `optimizer.state.0.step`. A contiguous one can be read by its
   * place in the file alone, as onnxruntime does with external data.
   */
  readonly tensors: ReadonlyMap<string, NamedTorchTensor>;
  /** The members that hold the tensors' elements. */
  readonly storages: readonly ZipMember[];
}

const zipSignature = 'PK\x03\x04';
/** How torch.save began a file before version 1.6: a pickle of the number 0x1950a86a20f9469cfc6c. */
const legacySignature = '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19';

const maxPaths = 1_000_000;
const maxNameLength = 1024;
const checkedAtOnce = 16 * 1024 * 1024;

/** True when a file's name or its first bytes say that torch.save wrote it. Throws as opening it would. */
export function isTorchFile(path: string): boolean {
  if (['.pt', '.pth'].includes(extname(path).toLowerCase())) return true;
  const start = withFile(path, (fd) => startOf(fd, basename(path)));
  return start.startsWith(zipSignature) || start.startsWith(legacySignature);
}

/**
 * Reads the structure of what torch.save wrote (since 1.6: a zip of stored members, `data.pkl` and one member a storage)
 * and where its tensors lie. Nothing in the file is executed.
 *
 * @throws A2sfError NOT_FOUND; FAILED_PRECONDITION for an older, compressed, encrypted or big-endian file, or one that asks
 * for code to be run; DATA_LOSS for a damaged one.
 */
export function openTorchFile(path: string): TorchFile {
  const file = basename(path);
  return withFile(path, (fd) => {
    const fileBytes = fstatSync(fd).size;
    const start = startOf(fd, file);
    if (start.startsWith(legacySignature)) {
      const remedy = 'load it with PyTorch 1.6 or newer and save it again';
      throw unsupported(file, `was written by a PyTorch before 1.6; ${remedy}`, 'legacy-torch-file');
    }
    if (!start.startsWith(zipSignature)) throw damaged(file, 'is not a zip file, as torch.save writes one');
    const members = readZipDirectory(fd, fileBytes, file);
    const root = rootOf(members, file);
    requireLittleEndian(fd, members.get(`${root}/byteorder`), file);
    const pickle = readChecked(fd, members.get(`${root}/data.pkl`), 'data.pkl', maxPickleBytes, file);
    const used = new Map<string, ZipMember>();
    const memberOf = (key: string) => {
      const member = members.get(`${root}/data/${key}`);
      if (member !== undefined) used.set(member.name, member);
      return member;
    };
    const tree = new Resolver(memberOf, file).resolve(readPickle(pickle, { file, calls: torchCalls }));
    return { path, tree, tensors: nameTensors(tree, file), storages: [...used.values()] };
  });
}

/** The elements of one tensor, row by row, in a buffer of their own. Throws DATA_LOSS for a file cut since. */
export function readTorchTensor({ path }: TorchFile, tensor: TorchTensor): Uint8Array {
  const bytes = withFile(path, (fd) => readAt(fd, tensor.offset, spanOf(tensor), basename(path)));
  return tensor.isContiguous ? bytes : gatherRows(tensor, bytes);
}

/** Reads all elements once. Throws DATA_LOSS when a storage does not have the CRC-32 that the file says. */
export function verifyTorchFile({ path, storages }: TorchFile): void {
  const file = basename(path);
  withFile(path, (fd) => {
    for (const { name, offset, byteLength, crc32: expected } of storages) {
      let crc = 0;
      for (let at = 0; at < byteLength; at += checkedAtOnce) {
        crc = crc32(readAt(fd, offset + at, Math.min(checkedAtOnce, byteLength - at), file), crc);
      }
      if (crc !== expected) throw damaged(file, `the CRC-32 of member ${quoted(name)} does not match its content`);
    }
  });
}

function startOf(fd: number, file: string): string {
  const length = Math.min(legacySignature.length, fstatSync(fd).size);
  return Buffer.from(readAt(fd, 0, length, file)).toString('latin1');
}

/** The folder that all members lie in; torch.save names it for the file. */
function rootOf(members: ReadonlyMap<string, ZipMember>, file: string): string {
  for (const name of members.keys()) {
    const match = /^([^/]+)\/data\.pkl$/.exec(name);
    if (match !== null) return match[1]!;
  }
  throw damaged(file, 'is a zip file without data.pkl');
}

function requireLittleEndian(fd: number, member: ZipMember | undefined, file: string): void {
  if (member === undefined) return; // written before 2.1, when there was nothing else
  const order = new TextDecoder().decode(readChecked(fd, member, 'byteorder', 16, file));
  if (order !== 'little') throw unsupported(file, `its byte order is ${quoted(order)}`, 'byte-order');
}

/** A small member, its CRC-32 checked. */
function readChecked(fd: number, member: ZipMember | undefined, name: string, limit: number, file: string): Uint8Array {
  if (member === undefined) throw damaged(file, `is a zip file without ${name}`);
  const { byteLength, offset } = member;
  if (byteLength > limit) throw damaged(file, `${name}: ${byteLength} bytes are over the limit of ${limit}`);
  const bytes = readAt(fd, offset, byteLength, file);
  if (crc32(bytes) !== member.crc32) throw damaged(file, `the CRC-32 of ${name} does not match its content`);
  return bytes;
}

/** Puts tensors in the place of the calls that would make them. What is shared stays shared. */
class Resolver {
  readonly #memberOf: (key: string) => ZipMember | undefined;
  readonly #file: string;
  readonly #done = new Map<PickleValue, TorchValue>();

  constructor(memberOf: (key: string) => ZipMember | undefined, file: string) {
    this.#memberOf = memberOf;
    this.#file = file;
  }

  /** The depth of a pickle is bounded. */
  resolve(value: PickleValue): TorchValue {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    const known = this.#done.get(value);
    if (known !== undefined) return known;
    const resolved = this.#resolveNew(value);
    this.#done.set(value, resolved);
    return resolved;
  }

  #resolveNew(value: PickleValue & object): TorchValue {
    if (value instanceof Map) {
      return new Map([...value].map(([key, entry]) => [this.resolve(key), this.resolve(entry)]));
    }
    if (value instanceof PickleCall) return readTorchTensorCall(value, this.#memberOf, this.#file);
    if (value instanceof PickleObject) return new TorchObject(value.className, this.resolve(value.state));
    if (value instanceof PickleGlobal) throw damaged(this.#file, `${quoted(value.name)} stands where a value should`);
    if (value instanceof PickleReference) throw damaged(this.#file, 'a storage stands where a value should');
    return (value as readonly PickleValue[]).map((entry) => this.resolve(entry));
  }
}

function nameTensors(tree: TorchValue, file: string): Map<string, NamedTorchTensor> {
  const tensors = new Map<string, NamedTorchTensor>();
  let paths = 0;
  const visit = (value: TorchValue, name: string): void => {
    if (++paths > maxPaths) throw damaged(file, `more than ${maxPaths} values`);
    if (name.length > maxNameLength) throw damaged(file, `a name is longer than ${maxNameLength} characters`);
    const inside = (key: string | number, entry: TorchValue) => visit(entry, name === '' ? `${key}` : `${name}.${key}`);
    if (value instanceof TorchTensor) {
      if (tensors.has(name)) throw damaged(file, 'there are two of this name', name);
      const { dtype, shape, strides, offset, byteLength, isContiguous } = value;
      tensors.set(name, { name, dtype, shape, strides, offset, byteLength, isContiguous });
    } else if (value instanceof TorchObject) {
      visit(value.state, name);
    } else if (value instanceof Map) {
      for (const [key, entry] of value as ReadonlyMap<TorchValue, TorchValue>) {
        if (typeof key === 'string' || typeof key === 'number') inside(key, entry);
      }
    } else if (Array.isArray(value)) {
      for (const [i, entry] of (value as readonly TorchValue[]).entries()) inside(i, entry);
    }
  };
  visit(tree, '');
  return tensors;
}
