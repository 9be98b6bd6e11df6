import { A2sfError, isA2sfError } from '@a2sf/errors';

/** A failed file operation as the suite's error: the file's name without its folder, and what the system said. */
export function storageError(file: string, cause: unknown): A2sfError {
  if (isA2sfError(cause)) return cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const details = { field: file, cause };
  if (code === 'ENOENT') return new A2sfError('NOT_FOUND', `${file}: no such file`, details);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new A2sfError('RESOURCE_EXHAUSTED', `${file}: no space left to write it (${code})`, {
      ...details,
      reason: 'disk-full',
    });
  }
  return new A2sfError('FAILED_PRECONDITION', `${file}: cannot be read or written (${code})`, details);
}
