import { damaged, quoted, unsupported } from './file-error.js';
import { readAt } from './file-reading.js';

/** A member of a zip file that is stored as it is. */
export interface ZipMember {
  /** As the file gives it; never a path of this machine. */
  readonly name: string;
  /** First byte of the data, from the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
  /** What the CRC-32 of the data must be. */
  readonly crc32: number;
}

const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
const localBytes = 30;
const centralBytes = 46;
const endBytes = 22;
const end64Bytes = 56;
const locator64Bytes = 20;
const maxCommentBytes = 0xffff;

/** Real files take some 64 bytes a member and hold one member a tensor. */
const maxDirectoryBytes = 16 * 1024 * 1024;
const maxMembers = 100_000;

/** Flag bits: encrypted, strongly encrypted, masked headers. */
const encrypted = 0x0001 | 0x0040 | 0x2000;
const stored = 0;

/** The directory's place, as the end of the file tells it. */
interface Directory {
  readonly offset: number;
  readonly byteLength: number;
  readonly members: number;
}

interface CentralEntry extends ZipMember {
  /** Offset of the local header. */
  readonly header: number;
  readonly rawName: Uint8Array;
}

/**
 * Reads the directory of a zip file (APPNOTE 6.3, zip64 included) whose members are all stored, by name. Each member is
 * checked to lie in the file, behind a local header of the same name, before the directory, and apart from every other.
 * Throws DATA_LOSS for a damaged file, FAILED_PRECONDITION for a compressed, encrypted or split one.
 */
export function readZipDirectory(fd: number, fileBytes: number, file: string): Map<string, ZipMember> {
  const directory = findDirectory(fd, fileBytes, file);
  const entries = readCentral(readAt(fd, directory.offset, directory.byteLength, file), directory, file);
  entries.sort((x, y) => x.header - y.header);
  const members = new Map<string, ZipMember>();
  let end = 0;
  for (const entry of entries) {
    const { name, header, byteLength, crc32 } = entry;
    if (header < end) throw damaged(file, `member ${quoted(name)} overlaps another`);
    const offset = readLocal(fd, entry, directory.offset, file);
    end = offset + byteLength;
    if (end > directory.offset) throw damaged(file, `member ${quoted(name)} reaches into the directory`);
    if (members.has(name)) throw damaged(file, `member ${quoted(name)} is there twice`);
    members.set(name, { name, offset, byteLength, crc32 });
  }
  return members;
}

function findDirectory(fd: number, fileBytes: number, file: string): Directory {
  const tailBytes = Math.min(fileBytes, locator64Bytes + endBytes + maxCommentBytes);
  const tailStart = fileBytes - tailBytes;
  const tail = viewOf(readAt(fd, tailStart, tailBytes, file));
  const at = findEnd(tail);
  if (at === undefined) throw damaged(file, 'has no zip directory at its end');
  if (tail.getUint16(at + 4, true) !== 0 || tail.getUint16(at + 6, true) !== 0) throw split(file);
  const small: Directory = {
    members: tail.getUint16(at + 10, true),
    byteLength: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  const locator = at - locator64Bytes;
  const isZip64 = locator >= 0 && tail.getUint32(locator, true) === signatures.locator64;
  const recordAt = isZip64 ? wide(tail, locator + 8, file) : undefined;
  const directory = recordAt === undefined ? small : readEnd64(fd, recordAt, tailStart + locator, small, file);
  const end = recordAt ?? tailStart + at;
  if (directory.members > maxMembers) {
    throw damaged(file, `${directory.members} members are over the limit of ${maxMembers}`);
  }
  if (directory.byteLength > maxDirectoryBytes) {
    throw damaged(file, `a directory of ${directory.byteLength} bytes is over the limit of ${maxDirectoryBytes}`);
  }
  if (directory.offset + directory.byteLength !== end)
    throw damaged(file, 'its zip directory is not where it should be');
  return directory;
}

/** The last end record whose comment reaches exactly to the end of the file. */
function findEnd(tail: DataView): number | undefined {
  for (let at = tail.byteLength - endBytes; at >= 0; at--) {
    if (tail.getUint32(at, true) !== signatures.end) continue;
    if (at + endBytes + tail.getUint16(at + 20, true) === tail.byteLength) return at;
  }
  return undefined;
}

/** The zip64 end record; what the small one also tells must be the same. */
function readEnd64(fd: number, at: number, locatorAt: number, small: Directory, file: string): Directory {
  if (at + end64Bytes > locatorAt) throw damaged(file, 'its zip64 record is not where it should be');
  const record = viewOf(readAt(fd, at, end64Bytes, file));
  const rest = wide(record, 4, file) + 12;
  if (record.getUint32(0, true) !== signatures.end64 || at + rest !== locatorAt) {
    throw damaged(file, 'its zip64 record is not where it should be');
  }
  if (record.getUint32(16, true) !== 0 || record.getUint32(20, true) !== 0) throw split(file);
  const members = wide(record, 32, file);
  const byteLength = wide(record, 40, file);
  const offset = wide(record, 48, file);
  const agrees = (narrow: number, mark: number, whole: number) => narrow === mark || narrow === whole;
  if (
    !agrees(small.members, 0xffff, members) ||
    !agrees(small.byteLength, 0xffffffff, byteLength) ||
    !agrees(small.offset, 0xffffffff, offset)
  ) {
    throw damaged(file, 'its two zip directories differ');
  }
  return { members, byteLength, offset };
}

function readCentral(bytes: Uint8Array, { members, byteLength }: Directory, file: string): CentralEntry[] {
  const view = viewOf(bytes);
  const entries: CentralEntry[] = [];
  let at = 0;
  for (let n = 0; n < members; n++) {
    if (at + centralBytes > byteLength || view.getUint32(at, true) !== signatures.central) {
      throw damaged(file, `entry ${n} of its zip directory is broken`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + centralBytes + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > byteLength) throw damaged(file, `entry ${n} of its zip directory is broken`);
    const nameEnd = at + centralBytes + nameLength;
    const rawName = bytes.subarray(at + centralBytes, nameEnd);
    const name = nameOf(rawName, file);
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    if ((flags & encrypted) !== 0) throw unsupported(file, `member ${quoted(name)} is encrypted`, 'encrypted-zip');
    const size = { packed: view.getUint32(at + 20, true), whole: view.getUint32(at + 24, true) };
    const small = { ...size, header: view.getUint32(at + 42, true) };
    const entry = readExtra64(viewOf(bytes.subarray(nameEnd, nameEnd + extraLength)), small, name, file);
    if (method !== stored || entry.packed !== entry.whole) {
      throw unsupported(file, `member ${quoted(name)} is compressed (method ${method})`, 'compressed-zip');
    }
    if (view.getUint16(at + 34, true) !== 0) throw split(file);
    const crc32 = view.getUint32(at + 16, true);
    entries.push({ name, rawName, crc32, header: entry.header, byteLength: entry.whole, offset: 0 });
    at = next;
  }
  if (at !== byteLength) throw damaged(file, 'its zip directory holds more than its members');
  return entries;
}

interface Sizes {
  readonly packed: number;
  readonly whole: number;
  readonly header: number;
}

/** The 64-bit values of a central entry, in the order of the format, for each that is 0xffffffff in 32 bits. */
function readExtra64(extra: DataView, small: Sizes, name: string, file: string): Sizes {
  const wanted = [small.whole, small.packed, small.header].map((value) => value === 0xffffffff);
  if (!wanted.includes(true)) return small;
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const length = extra.getUint16(at + 2, true);
    const end = at + 4 + length;
    if (end > extra.byteLength) break;
    if (extra.getUint16(at, true) !== 1) {
      at = end;
      continue;
    }
    let next = at + 4;
    const values = wanted.map((isWide, i) => {
      if (!isWide) return [small.whole, small.packed, small.header][i]!;
      if (next + 8 > end) throw damaged(file, `member ${quoted(name)} has no 64-bit size`);
      next += 8;
      return wide(extra, next - 8, file);
    });
    return { whole: values[0]!, packed: values[1]!, header: values[2]! };
  }
  throw damaged(file, `member ${quoted(name)} has no 64-bit size`);
}

/** The offset of a member's data: behind its local header, which must carry the same name. */
function readLocal(fd: number, entry: CentralEntry, limit: number, file: string): number {
  const { name, rawName, header } = entry;
  const bytes = localBytes + rawName.byteLength;
  if (header + bytes > limit) throw damaged(file, `member ${quoted(name)} lies outside the file`);
  const local = readAt(fd, header, bytes, file);
  const view = viewOf(local);
  const isSame =
    view.getUint32(0, true) === signatures.local &&
    view.getUint16(8, true) === stored &&
    view.getUint16(26, true) === rawName.byteLength &&
    rawName.every((byte, i) => byte === local[localBytes + i]);
  if (!isSame) throw damaged(file, `the header of member ${quoted(name)} differs from the directory`);
  return header + bytes + view.getUint16(28, true);
}

function nameOf(raw: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    throw damaged(file, 'the name of a member is not UTF-8');
  }
}

/** A little-endian u64 that a number holds exactly. */
function wide(view: DataView, at: number, file: string): number {
  const value = view.getBigUint64(at, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(file, `a zip offset of ${value} is too large`);
  return Number(value);
}

function split(file: string): Error {
  return unsupported(file, 'is one part of a split zip file', 'split-zip');
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
