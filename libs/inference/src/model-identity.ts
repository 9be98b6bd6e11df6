import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * `name@hash`: the name, and the first 16 hexadecimal digits of a SHA-256 over config.json and the weight files, each as
 * `file name NUL bytes NUL`, in the order of their names. Equal models are equal under any path; a changed weight is
 * another model.
 * @param files paths of the weight files.
 */
export async function modelIdentity(name: string, folder: string, files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  const weights = [...files].sort((x, y) => (basename(x) < basename(y) ? -1 : 1));
  for (const path of [join(folder, 'config.json'), ...weights]) await addFile(hash, path);
  return `${name}@${hash.digest('hex').slice(0, 16)}`;
}

async function addFile(hash: Hash, path: string): Promise<void> {
  hash.update(`${basename(path)}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  hash.update('\0');
}
