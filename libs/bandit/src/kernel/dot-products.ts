import { plainDotProducts } from './plain-dot-products.js';
import { simdDotProducts } from './simd-dot-products.js';

/** C[i, j] = sum_k A[i, k] B[j, k]: a [rows, length], b [columns, length] -> [rows, columns]; length > 0. */
export type DotProducts = (a: Float32Array, b: Float32Array, length: number) => Float32Array;

/**
 * C = A B' in single precision. An entry depends on its two rows alone, to the last bit: not on the other rows, and not on
 * the machine, with SIMD (dot-products.wat tells the order of the sums) or without. So a batch gives what its contexts give
 * one by one, a decision can be replayed anywhere, and replicas agree.
 */
export const dotProducts: DotProducts = simdDotProducts() ?? plainDotProducts;
