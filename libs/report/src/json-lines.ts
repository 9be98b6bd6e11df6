import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { A2sfError } from '@a2sf/errors';

const newline = 0x0a;
const maxLineBytes = 16 * 1024 * 1024;
/** A log is held in memory while its report is made. */
const maxFileBytes = 512 * 1024 * 1024;

/** One value of a log and where it stands, for errors. */
export interface JsonLine {
  readonly value: unknown;
  /** `progress.jsonl: line 3`. */
  readonly where: string;
}

/**
 * The whole lines of a JSONL file, which is only read: the run may still be writing it. What stands behind the last newline
 * is a line in the making and is left out. A file that is not there has no lines. Throws DATA_LOSS naming the line that is
 * no JSON or over the limit, RESOURCE_EXHAUSTED for a file over the limit, FAILED_PRECONDITION for one that cannot be read.
 */
export async function* jsonLines(path: string): AsyncGenerator<JsonLine, void, undefined> {
  const name = basename(path);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return;
  if (found.size > maxFileBytes) {
    throw new A2sfError('RESOURCE_EXHAUSTED', `${name}: is over ${maxFileBytes} bytes`, { field: name });
  }
  let number = 0;
  for await (const line of wholeLines(path, name)) {
    const where = `${name}: line ${++number}`;
    yield { value: parse(line, where, name), where };
  }
}

async function* wholeLines(path: string, name: string): AsyncGenerator<string, void, undefined> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  try {
    for await (const chunk of createReadStream(path)) {
      const block = chunk as Buffer;
      let start = 0;
      for (let end = block.indexOf(newline); end >= 0; end = block.indexOf(newline, start)) {
        yield Buffer.concat([...rest, block.subarray(start, end)]).toString('utf8');
        rest = [];
        restBytes = 0;
        start = end + 1;
      }
      rest.push(block.subarray(start));
      restBytes += block.byteLength - start;
      if (restBytes > maxLineBytes) {
        throw new A2sfError('DATA_LOSS', `${name}: a line is over ${maxLineBytes} bytes`, { field: name });
      }
    }
  } catch (cause) {
    if (cause instanceof A2sfError || !(cause instanceof Error && 'code' in cause)) throw cause;
    const message = `${name}: cannot be read (${String(cause.code)})`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: name, cause });
  }
}

function parse(text: string, where: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new A2sfError('DATA_LOSS', `${where} is no JSON`, { field: name, cause });
  }
}
