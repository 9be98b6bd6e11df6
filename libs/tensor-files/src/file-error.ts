import { A2sfError } from '@a2sf/errors';

/** DATA_LOSS for a damaged or hostile file; the message names the file (never its folder) and, if given, the tensor. */
export function damaged(file: string, problem: string, tensor?: string): A2sfError {
  const where = tensor === undefined ? file : `${file}: tensor ${quoted(tensor)}`;
  return new A2sfError('DATA_LOSS', `${where}: ${problem}`, { field: file, reason: 'damaged-tensor-file' });
}

/** FAILED_PRECONDITION for a sound file that this program does not read; the message names the file. */
export function unsupported(file: string, problem: string, reason: string): A2sfError {
  return new A2sfError('FAILED_PRECONDITION', `${file}: ${problem}`, { field: file, reason });
}

/** The system's error for a file that cannot be read, without the path in its message. */
export function unreadable(file: string, cause: unknown): A2sfError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  if (code === 'ENOENT') return new A2sfError('NOT_FOUND', `${file}: no such file`, { field: file, cause });
  return new A2sfError('FAILED_PRECONDITION', `${file}: cannot be read (${code})`, { field: file, cause });
}

/** A name from a file, safe to print: escaped and at most 80 characters. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}
