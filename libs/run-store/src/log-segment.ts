import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { A2sfError } from '@a2sf/errors';

/** Version of the log's format that is written; only this one is read. */
export const logFormatVersion = 1;

const headerBytes = 32;
const recordHeaderBytes = 20;
const hashBytes = 32;
const segmentMagic = Buffer.from('A2SFWAL\n');
const recordMagic = Buffer.from('A2SR');

/** Longest record. */
export const maxRecordBytes = 2 ** 31 - 1;

/** One record of a segment. */
export interface LogRecord {
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** Where it begins and where the next one would, in bytes of its file. */
  readonly offset: number;
  readonly end: number;
}

/**
 * The header of a segment, 32 bytes, numbers little-endian: `A2SFWAL\n`, u32 version, u32 its complement, u64 sequence of
 * the first record, the first 8 bytes of the SHA-256 of these. The complement tells a newer version from a flipped bit.
 */
export function encodeSegmentHeader(first: number): Uint8Array {
  const header = Buffer.alloc(headerBytes);
  segmentMagic.copy(header);
  writeVersion(header, 8, logFormatVersion);
  header.writeBigUInt64LE(BigInt(first), 16);
  sha256(header.subarray(0, 24)).copy(header, 24, 0, 8);
  return header;
}

/** Checks the header of an open segment. Throws DATA_LOSS when it is damaged, FAILED_PRECONDITION for a newer version. */
export async function checkSegmentHeader(handle: FileHandle, file: string, first: number): Promise<void> {
  const header = await readAt(handle, 0, headerBytes);
  if (header.length < headerBytes || !header.subarray(0, 8).equals(segmentMagic))
    throw damagedLog(file, 0, 'no header');
  requireVersion(header, 8, logFormatVersion, file, () => damagedLog(file, 8, 'its version is damaged'));
  if (!header.equals(encodeSegmentHeader(first))) throw damagedLog(file, 0, 'its header is damaged');
}

/**
 * A record: `A2SR`, u32 length of the payload, u64 sequence, the first 4 bytes of the SHA-256 of these 16; the payload; the
 * SHA-256 of all that. The length has a check of its own: a record whose length cannot be trusted hides what follows it.
 */
export function encodeRecord(sequence: number, payload: Uint8Array): Uint8Array {
  if (payload.length > maxRecordBytes) throw A2sfError.invalid('record', `is over ${maxRecordBytes} bytes`);
  const record = Buffer.alloc(recordHeaderBytes + payload.length + hashBytes);
  recordMagic.copy(record);
  record.writeUInt32LE(payload.length, 4);
  record.writeBigUInt64LE(BigInt(sequence), 8);
  sha256(record.subarray(0, 16)).copy(record, 16, 0, 4);
  record.set(payload, recordHeaderBytes);
  const body = record.length - hashBytes;
  sha256(record.subarray(0, body)).copy(record, body);
  return record;
}

/** A segment's records, from its first on; the generator returns where the last whole one ends. */
export async function* readRecords(handle: FileHandle, first: number): AsyncGenerator<LogRecord, number, undefined> {
  const { size } = await handle.stat();
  let offset = headerBytes;
  for (let sequence = first; offset < size; sequence++) {
    const record = await recordAt(handle, offset, size);
    if (record?.sequence !== sequence) break;
    yield record;
    offset = record.end;
  }
  return offset;
}

/** True when a whole record begins somewhere behind an offset: what lies there is then no torn last one. */
export async function holdsRecordBehind(handle: FileHandle, offset: number): Promise<boolean> {
  const { size } = await handle.stat();
  const block = 1 << 20;
  for (let at = offset + 1; at < size; at += block) {
    const bytes = await readAt(handle, at, block + recordMagic.length - 1); // the overlap holds one cut in two
    for (let i = bytes.indexOf(recordMagic); i >= 0; i = bytes.indexOf(recordMagic, i + 1)) {
      if ((await recordAt(handle, at + i, size)) !== undefined) return true;
    }
  }
  return false;
}

/** DATA_LOSS: the log is not what was written. */
export function damagedLog(file: string, offset: number, problem: string): A2sfError {
  return new A2sfError('DATA_LOSS', `${file}: ${problem} at byte ${offset}`, { field: file, reason: 'damaged-log' });
}

/** Writes a format's version and its complement, 8 bytes. */
export function writeVersion(target: Buffer, at: number, version: number): void {
  target.writeUInt32LE(version, at);
  target.writeUInt32LE(~version >>> 0, at + 4);
}

/** Throws FAILED_PRECONDITION for a newer version, what `damaged` gives when version and complement disagree. */
export function requireVersion(bytes: Buffer, at: number, most: number, file: string, damaged: () => A2sfError): void {
  const version = bytes.readUInt32LE(at);
  if (~version >>> 0 !== bytes.readUInt32LE(at + 4) || version < 1) throw damaged();
  if (version <= most) return;
  const message = `${file}: has format version ${version}, this program reads up to ${most}`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'format_version', reason: 'newer-format' });
}

/** The whole record that begins at an offset; undefined when there is none. Nothing is allocated for a false length. */
async function recordAt(handle: FileHandle, offset: number, size: number): Promise<LogRecord | undefined> {
  const header = await readAt(handle, offset, recordHeaderBytes);
  if (header.length < recordHeaderBytes || !header.subarray(0, 4).equals(recordMagic)) return undefined;
  if (!sha256(header.subarray(0, 16)).subarray(0, 4).equals(header.subarray(16))) return undefined;
  const length = header.readUInt32LE(4);
  const end = offset + recordHeaderBytes + length + hashBytes;
  if (length > maxRecordBytes || end > size) return undefined;
  const rest = await readAt(handle, offset + recordHeaderBytes, length + hashBytes);
  const payload = rest.subarray(0, length);
  if (!createHash('sha256').update(header).update(payload).digest().equals(rest.subarray(length))) return undefined;
  return { sequence: Number(header.readBigUInt64LE(8)), payload, offset, end };
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
