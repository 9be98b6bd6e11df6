import { Buffer } from 'node:buffer';
import { crc32 } from './crc32.js';

/** A member of a zip file that a test makes, and what is wrong about it. */
export interface MadeMember {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  /** Told instead of the truth. */
  readonly told?: { readonly byteLength?: number; readonly header?: number; readonly localName?: string };
}

/** The bytes of a zip file of stored members, without zip64. */
export function makeZip(members: readonly MadeMember[]): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const { name, data, method = 0, flags = 0, told = {} } of members) {
    const raw = Buffer.from(name);
    const size = told.byteLength ?? data.byteLength;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(size, 14);
    common.writeUInt32LE(size, 18);
    common.writeUInt16LE(raw.length, 22);
    const localName = Buffer.from(told.localName ?? name);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, localName, data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(told.header ?? at, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, rest, raw]));
    parts.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, directory, Buffer.from('PK\x05\x06'), end]);
}

/** A PyTorch file of a pickle, given as its opcodes, and of storages by their keys. */
export function makeTorchFile(
  pickle: string | Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
): Buffer {
  const data = typeof pickle === 'string' ? Buffer.from(pickle, 'latin1') : pickle;
  return makeZip([
    { name: 'model/data.pkl', data },
    { name: 'model/byteorder', data: Buffer.from('little') },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `model/data/${key}`, data: bytes })),
  ]);
}

/** The opcodes that push a text. */
export function pickledText(text: string): string {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return `X${length.toString('latin1')}${bytes.toString('latin1')}`;
}

/** The opcodes that push whole numbers as one tuple. */
function pickledTuple(values: readonly number[]): string {
  return `(${values.map((value) => `I${value}\n`).join('')}t`;
}

/** How a tensor stands in a pickle. */
export interface MadeTensor {
  readonly type?: string;
  readonly key: string;
  readonly elements: number;
  readonly start?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The opcodes that push a tensor. */
export function pickledTensor({ type = 'FloatStorage', key, elements, start = 0, shape, strides }: MadeTensor): string {
  const id = `(${pickledText('storage')}ctorch\n${type}\n${pickledText(key)}${pickledText('cpu')}I${elements}\ntQ`;
  const rest = `I${start}\n${pickledTuple(shape)}${pickledTuple(strides)}\x89ccollections\nOrderedDict\n)R`;
  return `ctorch._utils\n_rebuild_tensor_v2\n(${id}${rest}tR`;
}
