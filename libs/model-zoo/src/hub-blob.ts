import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { A2sfError } from '@a2sf/errors';
import { downloadFile, type ListFileEntry } from '@huggingface/hub';
import type { HubModel } from './hub-cache.js';
import type { HubConnection } from './hub-connection.js';

/** A file of the hub, its listing checked. */
export interface HubFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of a file in large file storage, else git's SHA-1; in hex. Name of the blob in the cache. */
  readonly hash: string;
}

/** A listed file; undefined when its size or hash is none. */
export function hubFile({ path, size: listed, oid, lfs }: ListFileEntry): HubFile | undefined {
  const size = lfs?.size ?? listed;
  const hash = lfs?.oid ?? oid ?? '';
  const sound = (lfs === undefined ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/).test(hash);
  return sound && Number.isSafeInteger(size) && size >= 0 ? { path, size, hash } : undefined;
}

/**
 * Loads one file to `blob`, going on from what an earlier attempt left in `<blob>.incomplete`, and checks its hash.
 * `advance` is told the bytes as they come, those of the earlier attempt included.
 *
 * Throws UNAVAILABLE when the stream ends early (what came is kept for the next attempt), DATA_LOSS when the bytes are not
 * those that the hub lists (they are deleted).
 */
export async function downloadBlob(
  hub: HubConnection,
  { id }: HubModel,
  commit: string,
  file: HubFile,
  blob: string,
  advance: (bytes: number) => void,
): Promise<void> {
  if ((await sizeOf(blob)) === file.size) return advance(file.size);
  const partial = `${blob}.incomplete`;
  await mkdir(dirname(blob), { recursive: true });
  if (((await sizeOf(partial)) ?? 0) > file.size) await rm(partial);
  const hash = emptyHash(file);
  let bytes = 0;
  const count = (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > file.size) throw damaged(id, file, `more than the ${file.size} bytes that the hub lists`);
    hash.update(chunk);
    advance(chunk.length);
  };
  try {
    if ((await sizeOf(partial)) === undefined) await writeFile(partial, '');
    for await (const chunk of createReadStream(partial)) count(chunk as Uint8Array);
    if (bytes < file.size) await fetchRest(hub, id, commit, file, partial, count, bytes);
    if (bytes < file.size) throw hub.unreachable(undefined, `ended ${file.path} early`);
    if (hash.digest('hex') !== file.hash) throw damaged(id, file, 'not the hash that the hub lists');
  } catch (error) {
    if (error instanceof A2sfError && error.code === 'DATA_LOSS') await rm(partial, { force: true });
    throw error;
  }
  await rename(partial, blob);
}

async function fetchRest(
  hub: HubConnection,
  id: string,
  commit: string,
  { path, size }: HubFile,
  partial: string,
  count: (chunk: Uint8Array) => void,
  from: number,
): Promise<void> {
  hub.failure = undefined;
  // Without Hugging Face's chunk protocol (xet): plain HTTP can go on from any byte, and goes through any mirror.
  const whole = await downloadFile({
    repo: id,
    path,
    revision: commit,
    hubUrl: hub.endpoint,
    fetch: hub.fetch,
    xet: false,
  });
  if (whole === null) throw hub.unreachable(undefined, `lists ${path} and does not have it`);
  const rest = from === 0 ? whole : whole.slice(from, size);
  const counted = async function* (source: AsyncIterable<Uint8Array>) {
    for await (const chunk of source) {
      count(chunk);
      yield chunk;
    }
  };
  const stream = Readable.fromWeb(rest.stream() as ReadableStream<Uint8Array>);
  await pipeline(stream, counted, createWriteStream(partial, { flags: 'a' })).catch((error: unknown) => {
    if (error instanceof A2sfError) throw error;
    throw hub.failure ?? (isOfDisk(error) ? error : hub.unreachable(error, `ended ${path} early`));
  });
}

/** True for an error of the file system; those of the network name no path. */
export function isOfDisk(error: unknown): boolean {
  if (!(error instanceof Error) || !('syscall' in error)) return false;
  return 'path' in error || error.syscall === 'write'; // a full disk fails a write by its descriptor
}

/** git's hash covers a header before the bytes: `blob <size>\0`. */
function emptyHash({ size, hash }: HubFile): Hash {
  return hash.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

function damaged(id: string, { path }: HubFile, problem: string): A2sfError {
  const message = `--model_name: ${id}: ${path} came damaged (${problem}) and was deleted; run again to load it anew`;
  return new A2sfError('DATA_LOSS', message, { field: 'model_name', reason: 'download-damaged' });
}
