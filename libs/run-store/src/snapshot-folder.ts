import { createHash } from 'node:crypto';
import { readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import { syncFolder, writeFileAtomically } from './atomic-file.js';
import { failpoint } from './failpoint.js';
import { requireVersion, writeVersion } from './log-segment.js';
import { storageError } from './storage-error.js';

/** Version of the snapshot's format that is written; only this one is read. */
export const snapshotFormatVersion = 1;

const headerBytes = 32;
const hashBytes = 32;
const partBytes = 1 << 20;
const magic = Buffer.from('A2SFSNP\n');
const snapshotPattern = /^snapshot-(\d{16})\.bin$/;

/** A state as its owner encodes it. */
export interface SnapshotContent {
  /** The policy: the bytes of a checkpoint. */
  readonly policy: Uint8Array;
  /** What the checkpoint does not hold; made while it is written. */
  readonly ledger: Iterable<Uint8Array>;
}

/**
 * The snapshots of one folder, `snapshot-<sequence>.bin`: the state after the record of that sequence. A file is 32 bytes of
 * header (`A2SFSNP\n`, u32 version, u32 its complement, u64 sequence, u64 length of the policy, little-endian), the policy,
 * the ledger, and the SHA-256 of all that.
 */
export class SnapshotFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Ascending. */
  async sequences(): Promise<number[]> {
    try {
      const names = await readdir(this.#folder);
      return names
        .flatMap((name) => snapshotPattern.exec(name)?.[1] ?? [])
        .map(Number)
        .sort((x, y) => x - y);
    } catch (error) {
      throw storageError('snapshots', error);
    }
  }

  /** Writes one atomically; the processor is held for a mebibyte at a time. */
  async write(sequence: number, content: SnapshotContent): Promise<void> {
    await writeFileAtomically(join(this.#folder, snapshotName(sequence)), encode(sequence, content));
  }

  /** Throws DATA_LOSS for a damaged file, FAILED_PRECONDITION for a newer format. */
  async read(sequence: number): Promise<{ readonly policy: Uint8Array; readonly ledger: Uint8Array }> {
    const file = snapshotName(sequence);
    let bytes: Buffer;
    try {
      bytes = await readFile(join(this.#folder, file));
    } catch (error) {
      throw storageError(file, error);
    }
    const damaged = (): A2sfError =>
      new A2sfError('DATA_LOSS', `${file}: does not match its SHA-256`, { field: file, reason: 'damaged-snapshot' });
    if (bytes.length < headerBytes + hashBytes || !bytes.subarray(0, 8).equals(magic)) throw damaged();
    requireVersion(bytes, 8, snapshotFormatVersion, file, damaged);
    const end = bytes.length - hashBytes;
    const hash = createHash('sha256').update(bytes.subarray(0, end)).digest();
    if (!hash.equals(bytes.subarray(end)) || bytes.readBigUInt64LE(16) !== BigInt(sequence)) throw damaged();
    const ledgerAt = headerBytes + Number(bytes.readBigUInt64LE(24));
    // A copy: tensors are read in place, and wish to begin at a multiple of their element's size.
    return {
      policy: Uint8Array.prototype.slice.call(bytes, headerBytes, ledgerAt),
      ledger: bytes.subarray(ledgerAt, end),
    };
  }

  /** Deletes snapshots. One that is not there counts as deleted. */
  async remove(sequences: readonly number[]): Promise<void> {
    try {
      for (const sequence of sequences) {
        await failpoint('before-remove');
        await unlink(join(this.#folder, snapshotName(sequence))).catch(ignoreMissing);
        await failpoint('after-remove');
      }
      if (sequences.length > 0) await syncFolder(this.#folder);
    } catch (error) {
      throw storageError('snapshots', error);
    }
  }
}

export function snapshotName(sequence: number): string {
  return `snapshot-${String(sequence).padStart(16, '0')}.bin`;
}

function* encode(sequence: number, { policy, ledger }: SnapshotContent): Generator<Uint8Array, void, undefined> {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  writeVersion(header, 8, snapshotFormatVersion);
  header.writeBigUInt64LE(BigInt(sequence), 16);
  header.writeBigUInt64LE(BigInt(policy.length), 24);
  const hash = createHash('sha256');
  const hashed = (part: Uint8Array): Uint8Array => (hash.update(part), part);
  yield hashed(header);
  for (let at = 0; at < policy.length; at += partBytes) yield hashed(policy.subarray(at, at + partBytes));
  for (const part of ledger) yield hashed(part);
  yield hash.digest();
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
