import { join } from 'node:path';
import { openSafetensors, readTensor, toFloat32 } from '@a2sf/tensor-files';
import { fixtures } from '../processes.js';

export interface FixtureArrays {
  float32(name: string): Float32Array;
  int32(name: string): Int32Array;
  int64(name: string): number[];
}

/** Reads arrays of a fixture's safetensors file. */
export function fixtureArrays(folder: string, file: string): FixtureArrays {
  const opened = openSafetensors(join(fixtures, folder, file));
  return {
    float32: (name) => toFloat32(readTensor(opened, name), 'F32'),
    int32: (name) => new Int32Array(readTensor(opened, name).buffer),
    int64: (name) => Array.from(new BigInt64Array(readTensor(opened, name).buffer), Number),
  };
}

export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < actual.length; i++) worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!));
  return worst;
}
