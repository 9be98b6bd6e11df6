import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { damaged, quoted, unreadable, unsupported } from './file-error.js';
import { readAt, withFile } from './file-reading.js';
import { openSafetensors, readTensor } from './safetensors-file.js';
import type { TensorInfo } from './safetensors-header.js';
import { parseStrictJson, StrictJsonError, type StrictJson } from './strict-json.js';
import { openTorchFile } from './torch-file.js';

/** A file of weights: where its tensors lie, and their bytes. */
export interface WeightFile {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The bytes of one tensor. */
  read(name: string): Uint8Array;
}

/** Where the tensors of a model folder lie. */
export interface WeightIndex {
  readonly files: readonly WeightFile[];
  find(name: string): { readonly file: WeightFile; readonly tensor: TensorInfo } | undefined;
  names(): Iterable<string>;
}

/** The two formats that checkpoints come in, the better one first: a file's name, and how one is opened. */
const formats = [
  { single: 'model.safetensors', open: openSafetensorsWeights },
  { single: 'pytorch_model.bin', open: openTorchWeights },
] as const;
const maxIndexBytes = 16 * 1024 * 1024;
const maxShards = 1024;

/**
 * Opens `model.safetensors`, or the shards that `model.safetensors.index.json` names ({"weight_map": {tensor: file}}), of a
 * folder; where it has neither, `pytorch_model.bin` or its shards, whose pickle is parsed and never run. Throws NOT_FOUND
 * when it has none, DATA_LOSS when a file is damaged, a shard's name is not a plain file name in the folder, or a shard
 * lacks a tensor that the index promises; FAILED_PRECONDITION for a tensor that does not lie in one piece.
 */
export function openWeights(folder: string): WeightIndex {
  for (const { single, open } of formats) {
    if (existsSync(join(folder, single))) return wholeFile(open(join(folder, single)));
    const index = `${single}.index.json`;
    if (existsSync(join(folder, index))) return openShards(folder, index, open);
  }
  const names = formats.map(({ single }) => single).join(' or ');
  throw new A2sfError('NOT_FOUND', `the model folder has no ${names}, whole or in shards`, { field: 'model_name' });
}

/** Opens one safetensors file, whatever its name. Throws NOT_FOUND, FAILED_PRECONDITION (unreadable), DATA_LOSS. */
export function openWeightFile(path: string): WeightIndex {
  return wholeFile(openSafetensorsWeights(path));
}

function wholeFile(file: WeightFile): WeightIndex {
  return weightIndex([file], new Map([...file.tensors.keys()].map((name) => [name, file])));
}

function openShards(folder: string, index: string, open: (path: string) => WeightFile): WeightIndex {
  const shards = new Map<string, WeightFile>();
  const homes = new Map<string, WeightFile>();
  for (const [tensor, shardName] of readWeightMap(join(folder, index), index)) {
    if (typeof shardName !== 'string' || !isPlainFileName(shardName)) {
      throw damaged(index, 'its file is not a plain file name', tensor);
    }
    let shard = shards.get(shardName);
    if (shard === undefined) {
      if (shards.size === maxShards) throw damaged(index, `more than ${maxShards} files`);
      shard = open(join(folder, shardName));
      shards.set(shardName, shard);
    }
    if (!shard.tensors.has(tensor)) throw damaged(shardName, 'missing, though the index names it here', tensor);
    homes.set(tensor, shard);
  }
  return weightIndex([...shards.values()], homes);
}

function weightIndex(files: readonly WeightFile[], homes: ReadonlyMap<string, WeightFile>): WeightIndex {
  return {
    files,
    names: () => homes.keys(),
    find(name) {
      const file = homes.get(name);
      const tensor = file?.tensors.get(name);
      return file === undefined || tensor === undefined ? undefined : { file, tensor };
    },
  };
}

function openSafetensorsWeights(path: string): WeightFile {
  const file = openSafetensors(path);
  return { path, tensors: file.tensors, read: (name) => readTensor(file, name) };
}

function openTorchWeights(path: string): WeightFile {
  const file = openTorchFile(path);
  for (const { name, isContiguous } of file.tensors.values()) {
    if (isContiguous) continue;
    const remedy = 'save it again with .contiguous(), or as safetensors';
    throw unsupported(
      basename(path),
      `tensor ${quoted(name)} does not lie in one piece: ${remedy}`,
      'scattered-tensor',
    );
  }
  const read = (name: string): Uint8Array => {
    const { offset, byteLength } = file.tensors.get(name)!;
    return withFile(path, (fd) => readAt(fd, offset, byteLength, basename(path)));
  };
  return { path, tensors: file.tensors, read };
}

function readWeightMap(path: string, index: string): Map<string, StrictJson> {
  try {
    const root = parseStrictJson(readBounded(path, index), { maxDepth: 8, maxValues: 1_000_000 });
    const map = root instanceof Map ? root.get('weight_map') : undefined;
    if (map instanceof Map && map.size > 0) return map;
  } catch (error) {
    if (error instanceof StrictJsonError) throw damaged(index, `broken: ${error.message}`);
    throw isA2sfError(error) ? error : unreadable(index, error);
  }
  throw damaged(index, 'has no weight_map');
}

function readBounded(path: string, index: string): string {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size > maxIndexBytes) throw damaged(index, `${size} bytes are over the limit of ${maxIndexBytes}`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** A name that join(folder, name) cannot lead out of the folder. */
function isPlainFileName(name: string): boolean {
  return /^[^/\\\0]{1,255}$/.test(name) && name !== '.' && name !== '..' && basename(name) === name;
}
