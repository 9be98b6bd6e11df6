import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';

/**
 * A JSON file of a model folder, a file of somebody else's: its size is checked before it is read.
 * @returns undefined when the file is not there.
 * @throws A2sfError DATA_LOSS when it is no JSON object or over `maxBytes`; FAILED_PRECONDITION when it cannot be read.
 */
export function readModelJson(folder: string, file: string, maxBytes: number): Record<string, unknown> | undefined {
  const text = readModelText(folder, file, maxBytes);
  if (text === undefined) return undefined;
  requireModest(text, file);
  const value = parse(text, file);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(file, 'must be a JSON object');
  return value as Record<string, unknown>;
}

/** Nesting and number of values of the largest tokenizers, with room to spare. */
const maxDepth = 64;
const maxValues = 1_000_000;

/** Refuses a text whose value would take far more memory than the text: JSON.parse itself has no bounds. */
function requireModest(text: string, file: string): void {
  let depth = 0;
  let values = 1;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === backslash) i++;
      else if (c === quote) quoted = false;
    } else if (c === quote) quoted = true;
    else if (c === comma) {
      if (++values > maxValues) throw damaged(file, `holds more than ${maxValues} values`);
    } else if (c === openBrace || c === openBracket) {
      if (++depth > maxDepth) throw damaged(file, `is nested deeper than ${maxDepth}`);
    } else if (c === closeBrace || c === closeBracket) depth--;
  }
}

const [quote, backslash, comma, openBrace, closeBrace, openBracket, closeBracket] = Array.from('"\\,{}[]', (c) =>
  c.charCodeAt(0),
);

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(file, 'is not valid JSON', cause);
  }
}

/** A text file of a model folder, bounded in the same way; undefined when it is not there. */
export function readModelText(folder: string, file: string, maxBytes: number): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(join(folder, file), 'r');
    const { size } = fstatSync(fd);
    if (size > maxBytes) throw damaged(file, `${size} bytes are over the limit of ${maxBytes}`);
    return readFileSync(fd, 'utf8');
  } catch (cause) {
    if (isA2sfError(cause)) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new A2sfError('FAILED_PRECONDITION', `${file}: cannot be read (${code})`, { field: file, cause });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function damaged(file: string, problem: string, cause?: unknown): A2sfError {
  return new A2sfError('DATA_LOSS', `${file}: ${problem}`, { field: file, reason: 'bad-model-config', cause });
}
