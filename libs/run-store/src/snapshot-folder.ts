import { createHash } from 'node:crypto';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { withFileSource, type ByteSource, type FilePart } from '@a2sf/tensor-files';
import { syncFolder, writeFileAtomically } from './atomic-file.js';
import { failpoint } from './failpoint.js';
import { requireVersion, writeVersion } from './log-segment.js';
import type { CheckpointParts } from './policy-checkpoint.js';
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
  readonly policy: CheckpointParts;
  /** What the checkpoint does not hold; made while it is written. */
  readonly ledger: Iterable<Uint8Array>;
}

/** A snapshot that was verified. */
export interface StoredSnapshot {
  /** Where the bytes of the policy's checkpoint lie. */
  readonly policy: FilePart;
  readonly ledger: Uint8Array;
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
  async read(sequence: number): Promise<StoredSnapshot> {
    const file = snapshotName(sequence);
    const path = join(this.#folder, file);
    const damaged = (): A2sfError =>
      new A2sfError('DATA_LOSS', `${file}: does not match its SHA-256`, { field: file, reason: 'damaged-snapshot' });
    try {
      return withFileSource({ path }, (source) => verified(source, path, sequence, damaged));
    } catch (error) {
      if (isA2sfError(error)) throw error;
      throw storageError(file, error);
    }
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

function verified(source: ByteSource, path: string, sequence: number, damaged: () => A2sfError): StoredSnapshot {
  const { byteLength } = source;
  if (byteLength < headerBytes + hashBytes) throw damaged();
  const header = Buffer.from(source.read(0, headerBytes));
  if (!header.subarray(0, 8).equals(magic)) throw damaged();
  requireVersion(header, 8, snapshotFormatVersion, snapshotName(sequence), damaged);
  const end = byteLength - hashBytes;
  const hash = createHash('sha256');
  for (let at = 0; at < end; at += partBytes) hash.update(source.read(at, Math.min(partBytes, end - at)));
  const digest = hash.digest();
  if (!digest.equals(source.read(end, hashBytes)) || header.readBigUInt64LE(16) !== BigInt(sequence)) throw damaged();
  const policyBytes = Number(header.readBigUInt64LE(24));
  const ledgerAt = headerBytes + policyBytes;
  const policy = { path, offset: headerBytes, byteLength: policyBytes };
  return { policy, ledger: source.read(ledgerAt, end - ledgerAt).slice() };
}

function* encode(sequence: number, { policy, ledger }: SnapshotContent): Generator<Uint8Array, void, undefined> {
  const header = Buffer.alloc(headerBytes);
  magic.copy(header);
  writeVersion(header, 8, snapshotFormatVersion);
  header.writeBigUInt64LE(BigInt(sequence), 16);
  header.writeBigUInt64LE(BigInt(policy.byteLength), 24);
  const hash = createHash('sha256');
  const hashed = (part: Uint8Array): Uint8Array => (hash.update(part), part);
  yield hashed(header);
  for (const part of policy.parts()) yield hashed(part);
  for (const part of ledger) yield hashed(part);
  yield hash.digest();
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
