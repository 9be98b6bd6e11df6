import { packedLength, packedRow } from '../cholesky.js';
import type { StateTensor } from '../policy-state.js';
import type { InverseArrays } from './symmetric-inverse.js';

/** Matrices M as one tensor [A, h, h] of full ones, made as it is read. */
export function inversesTensor(matrices: readonly InverseArrays[], width: number): StateTensor {
  return madeTensor([matrices.length, width, width], (start, into) => {
    for (let at = 0; at < into.length;) {
      const index = start + at;
      const { multiple, inverse } = matrices[Math.floor(index / width ** 2)]!;
      const i = Math.floor(index / width) % width;
      const first = index % width;
      const end = Math.min(width, first + into.length - at);
      const row = packedRow(i);
      for (let j = first; j < end; j++, at++) {
        if (!Number.isNaN(multiple)) into[at] = i === j ? multiple : 0;
        else into[at] = inverse[j <= i ? row + j : packedRow(j) + i]!;
      }
    }
  });
}

/** Sums L as one tensor [2, A, h (h + 1) / 2] of high and low parts, made as it is read; zeros where L is not held. */
export function sumsTensor(matrices: readonly InverseArrays[], width: number): StateTensor {
  const length = packedLength(width);
  return madeTensor([2, matrices.length, length], (start, into) => {
    for (let at = 0; at < into.length;) {
      const index = start + at;
      const row = Math.floor(index / length);
      const isLow = row >= matrices.length;
      const { sum } = matrices[row % matrices.length]!;
      const first = index % length;
      const end = Math.min(length, first + into.length - at);
      for (let i = first; i < end; i++, at++) {
        const value = sum.length === 0 ? 0 : sum[i]!;
        into[at] = isLow ? value - Math.fround(value) : value;
      }
    }
  });
}

/** `fill` writes the elements from `start` on. */
function madeTensor(shape: readonly number[], fill: (start: number, into: Float32Array) => void): StateTensor {
  let scratch = new Float32Array();
  return {
    shape,
    get data() {
      const all = new Float32Array(shape.reduce((product, length) => product * length, 1));
      fill(0, all);
      return all;
    },
    part: (start, count) => {
      if (scratch.length < count) scratch = new Float32Array(count);
      const into = scratch.subarray(0, count);
      fill(start, into);
      return into;
    },
  };
}
