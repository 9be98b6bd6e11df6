import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isA2sfError } from '@a2sf/errors';
import { damaged, unreadable } from './file-error.js';
import { openSafetensors, type SafetensorsFile } from './safetensors-file.js';
import type { TensorInfo } from './safetensors-header.js';
import { parseStrictJson, StrictJsonError, type StrictJson } from './strict-json.js';

/** Where the tensors of a model folder lie. */
export interface WeightIndex {
  readonly files: readonly SafetensorsFile[];
  find(name: string): { readonly file: SafetensorsFile; readonly tensor: TensorInfo } | undefined;
  names(): Iterable<string>;
}

const single = 'model.safetensors';
const index = 'model.safetensors.index.json';
const maxIndexBytes = 16 * 1024 * 1024;
const maxShards = 1024;

/**
 * Opens `model.safetensors`, or the shards named by `model.safetensors.index.json` ({"weight_map": {tensor: file}}), of a
 * folder. Throws NOT_FOUND when it has neither, DATA_LOSS when a file is damaged, a shard's name is not a plain file name
 * in the folder, or a shard lacks a tensor that the index promises.
 */
export function openWeights(folder: string): WeightIndex {
  if (existsSync(join(folder, single)) || !existsSync(join(folder, index))) {
    const file = openSafetensors(join(folder, single));
    return weightIndex([file], new Map([...file.tensors.keys()].map((name) => [name, file])));
  }
  const shards = new Map<string, SafetensorsFile>();
  const homes = new Map<string, SafetensorsFile>();
  for (const [tensor, shardName] of readWeightMap(join(folder, index))) {
    if (typeof shardName !== 'string' || !isPlainFileName(shardName)) {
      throw damaged(index, 'its file is not a plain file name', tensor);
    }
    let shard = shards.get(shardName);
    if (shard === undefined) {
      if (shards.size === maxShards) throw damaged(index, `more than ${maxShards} files`);
      shard = openSafetensors(join(folder, shardName));
      shards.set(shardName, shard);
    }
    if (!shard.tensors.has(tensor)) throw damaged(shardName, 'missing, though the index names it here', tensor);
    homes.set(tensor, shard);
  }
  return weightIndex([...shards.values()], homes);
}

function weightIndex(files: readonly SafetensorsFile[], homes: ReadonlyMap<string, SafetensorsFile>): WeightIndex {
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

function readWeightMap(path: string): Map<string, StrictJson> {
  try {
    const root = parseStrictJson(readBounded(path), { maxDepth: 8, maxValues: 1_000_000 });
    const map = root instanceof Map ? root.get('weight_map') : undefined;
    if (map instanceof Map && map.size > 0) return map;
  } catch (error) {
    if (error instanceof StrictJsonError) throw damaged(index, `broken: ${error.message}`);
    throw isA2sfError(error) ? error : unreadable(index, error);
  }
  throw damaged(index, 'has no weight_map');
}

function readBounded(path: string): string {
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
