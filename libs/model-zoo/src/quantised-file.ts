import { createHash, randomBytes, type Hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { layOutSafetensors, toFloat32, type DType } from '@a2sf/tensor-files';
import type { ModelWeights } from './model-weights.js';
import { algorithm, quantisedShapes, quantiseRows, type Bits, type WeightFormat } from './quantisation.js';

/** A matrix to be quantised. */
export interface PlannedMatrix {
  readonly shape: readonly [number, number];
  readonly bits: Bits;
}

/** What a graph asks for, by name: tensors as they are, with their shapes, and matrices to be quantised. */
export interface PlannedTensors {
  readonly plain: ReadonlyMap<string, readonly number[]>;
  readonly matrices: ReadonlyMap<string, PlannedMatrix>;
}

/** Part of every file's key, as the algorithm is: a change of how tensors lie in the file is a new number. */
const layout = 1;

/** The last tensor of a file: the SHA-256 of everything before it. Sorts behind every other name. */
const digestName = '~sha256';
const digestBytes = 32;
const chunkBytes = 1 << 22;

/** Weights that are quantised at a time. */
const rowsAtATime = (width: number): number => Math.max(1, Math.floor((1 << 20) / width));

/**
 * The path of the quantised weights of a model: `<folder>/.a2sf/<key>-<format>.safetensors`, or under the user's cache
 * folder when the model's cannot be written. The key is a hash of the stored weights, of what the graph asks for and of
 * the algorithm. A file that is missing or damaged (every byte is under its own SHA-256) is made.
 *
 * @throws A2sfError DATA_LOSS when a stored weight is no finite number; FAILED_PRECONDITION or RESOURCE_EXHAUSTED, reason
 * `quantised-weights-not-written`, when neither folder takes the file.
 */
export function quantisedFile(
  folder: string,
  stored: ModelWeights,
  plan: PlannedTensors,
  format: Exclude<WeightFormat, 'float32'>,
): string {
  const name = `${contentKey(stored, plan)}-${format}.safetensors`;
  const homes = [join(folder, '.a2sf'), join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'a2sf')];
  const known = homes.map((home) => join(home, name)).find(isSound);
  if (known !== undefined) return known;
  let failure: unknown;
  for (const home of homes) {
    try {
      mkdirSync(home, { recursive: true });
      writeQuantised(home, name, stored, plan);
      return join(home, name);
    } catch (error) {
      if (isA2sfError(error)) throw error; // of the stored weights: no other folder helps
      failure = error;
    }
  }
  const errno = failure instanceof Error && 'code' in failure ? String(failure.code) : 'unknown error';
  throw new A2sfError(
    errno === 'ENOSPC' || errno === 'EDQUOT' ? 'RESOURCE_EXHAUSTED' : 'FAILED_PRECONDITION',
    `quantised weights cannot be written beside the model or into the cache folder (${errno})`,
    { field: 'model_name', reason: 'quantised-weights-not-written', cause: failure },
  );
}

/** 32 hexadecimal digits of a SHA-256 over the algorithm, the plan (with each matrix's bits) and the weight files in the order of their names. */
function contentKey(stored: ModelWeights, { plain, matrices }: PlannedTensors): string {
  const hash = createHash('sha256');
  hash.update(`${JSON.stringify([algorithm, layout, [...plain], [...matrices]])}\0`);
  for (const path of [...stored.files].sort((x, y) => (basename(x) < basename(y) ? -1 : 1))) {
    hash.update(`${basename(path)}\0`);
    hashFile(hash, path, statSync(path).size);
  }
  return hash.digest('hex').slice(0, 32);
}

/** True for a whole file: its last bytes are the hash of those before. */
function isSound(path: string): boolean {
  if (!existsSync(path)) return false;
  const { size } = statSync(path);
  if (size < digestBytes) return false;
  const expected = Buffer.alloc(digestBytes);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, expected, 0, digestBytes, size - digestBytes);
  } finally {
    closeSync(fd);
  }
  const hash = createHash('sha256');
  hashFile(hash, path, size - digestBytes);
  return hash.digest().equals(expected);
}

function hashFile(hash: Hash, path: string, length: number): void {
  const fd = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let at = 0; at < length;) {
      const got = readSync(fd, chunk, 0, Math.min(chunkBytes, length - at), at);
      if (got === 0) break; // cut meanwhile: the hash will differ
      hash.update(chunk.subarray(0, got));
      at += got;
    }
  } finally {
    closeSync(fd);
  }
}

/** Writes the file under a temporary name, one stored tensor in memory at a time, and renames it when it is on disk. */
function writeQuantised(home: string, name: string, stored: ModelWeights, { plain, matrices }: PlannedTensors): void {
  const specs = new Map<string, { dtype: DType; shape: readonly number[] }>();
  for (const [tensor, shape] of plain) specs.set(tensor, { dtype: stored.checked(tensor, shape).tensor.dtype, shape });
  for (const [tensor, { shape, bits }] of matrices) {
    const { blocks, scales, zeros } = quantisedShapes(shape, bits);
    specs.set(`${tensor}.blocks`, { dtype: 'U8', shape: blocks });
    specs.set(`${tensor}.scales`, { dtype: 'F32', shape: scales });
    specs.set(`${tensor}.zeros`, { dtype: 'U8', shape: zeros });
  }
  specs.set(digestName, { dtype: 'U8', shape: [digestBytes] });
  const { head, tensors, fileBytes } = layOutSafetensors(specs, { algorithm });
  const temporary = join(home, `.${name}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const fd = openSync(temporary, 'wx');
    try {
      const writer = new PartWriter(fd, (tensor) => tensors.get(tensor)!.offset);
      writeAll(fd, head, 0);
      for (const [tensor, shape] of plain) writer.write(tensor, readStored(stored, tensor, shape).bytes);
      for (const [tensor, matrix] of matrices) writeMatrix(writer, stored, tensor, matrix);
      const hash = createHash('sha256');
      hashFile(hash, temporary, fileBytes - digestBytes);
      writer.write(digestName, hash.digest());
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, join(home, name));
    syncFolder(home);
  } catch (error) {
    rmSync(temporary, { force: true }); // it may never have been made
    throw error;
  }
}

/** Quantises a matrix some rows at a time: only its stored bytes are in memory as a whole. */
function writeMatrix(writer: PartWriter, stored: ModelWeights, name: string, { shape, bits }: PlannedMatrix): void {
  const [rows, width] = shape;
  const { bytes, dtype } = readStored(stored, name, shape);
  const rowBytes = bytes.byteLength / rows;
  const step = rowsAtATime(width);
  for (let row = 0; row < rows; row += step) {
    const part = toFloat32(bytes.subarray(row * rowBytes, Math.min(row + step, rows) * rowBytes), dtype);
    if (!part.every(Number.isFinite)) throw stored.damaged(name, 'holds a value that is no finite number');
    const { blocks, scales, zeros } = quantiseRows(part, width, bits);
    writer.write(`${name}.blocks`, blocks);
    writer.write(`${name}.scales`, new Uint8Array(scales.buffer));
    writer.write(`${name}.zeros`, zeros);
  }
}

function readStored(stored: ModelWeights, name: string, shape: readonly number[]): { bytes: Uint8Array; dtype: DType } {
  const { file, tensor } = stored.checked(name, shape);
  return { bytes: file.read(tensor.name), dtype: tensor.dtype };
}

/** Appends bytes to tensors that lie apart in the file. */
class PartWriter {
  private readonly written = new Map<string, number>();

  constructor(
    private readonly fd: number,
    private readonly offsetOf: (tensor: string) => number,
  ) {}

  write(tensor: string, bytes: Uint8Array): void {
    const at = this.written.get(tensor) ?? this.offsetOf(tensor);
    writeAll(this.fd, bytes, at);
    this.written.set(tensor, at + bytes.byteLength);
  }
}

/** Writes all of it: one call may write less, and never takes 2 GiB. */
function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.byteLength;) {
    done += writeSync(fd, bytes, done, Math.min(bytes.byteLength - done, 1 << 28), position + done);
  }
}

/** Makes the renaming durable. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
