import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import {
  decodePolicyCheckpoint,
  isTorchCheckpoint,
  readTorchCheckpoint,
  type DecodedCheckpoint,
} from '@a2sf/run-store';

/** A checkpoint in our format or the reference's. Throws NOT_FOUND, DATA_LOSS, FAILED_PRECONDITION for a newer format. */
export async function readCheckpoint(path: string): Promise<DecodedCheckpoint> {
  const name = basename(path);
  const bytes = await readFile(path).catch((cause: unknown) => {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    const kind = code === 'ENOENT' ? 'NOT_FOUND' : 'FAILED_PRECONDITION';
    throw new A2sfError(kind, `--checkpoint: ${name} cannot be read (${code})`, { field: 'checkpoint', cause });
  });
  return isTorchCheckpoint(path) ? readTorchCheckpoint(path) : decodePolicyCheckpoint(bytes, name);
}

/** The version that a policy server gives a checkpoint which it starts with: one that tells none is the first. */
export function servedVersion({ policyVersion }: { readonly policyVersion: number }): number {
  return Math.max(policyVersion, 1);
}
