import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { ConfigReader } from './config-reader.js';

const maxBytes = 1024 * 1024;

/**
 * The `config.json` of a model folder, at most 1 MiB. Throws NOT_FOUND when it is not there, FAILED_PRECONDITION when it
 * cannot be read, DATA_LOSS when it is not a JSON object or too large.
 */
export function readModelConfig(folder: string): ConfigReader {
  const value = parse(readBounded(join(folder, 'config.json')));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged('must be a JSON object');
  return new ConfigReader(value as Readonly<Record<string, unknown>>);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged('is not valid JSON', cause);
  }
}

function readBounded(path: string): string {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const { size } = fstatSync(fd);
    if (size > maxBytes) throw damaged(`${size} bytes are over the limit of ${maxBytes}`);
    return readFileSync(fd, 'utf8');
  } catch (cause) {
    if (isA2sfError(cause)) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new A2sfError('NOT_FOUND', 'config.json: the model folder has none', { field: 'config.json', cause });
    }
    throw new A2sfError('FAILED_PRECONDITION', `config.json: cannot be read (${code})`, {
      field: 'config.json',
      cause,
    });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function damaged(problem: string, cause?: unknown): A2sfError {
  return new A2sfError('DATA_LOSS', `config.json: ${problem}`, {
    field: 'config.json',
    reason: 'bad-model-config',
    cause,
  });
}
