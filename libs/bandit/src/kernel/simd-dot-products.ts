import type { DotProducts } from './dot-products.js';
import { dotProductsModule } from './dot-products-module.js';

/** The part of the platform's WebAssembly that is used; TypeScript knows it from the library of browsers alone. */
interface Platform {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  dot_products(a: number, b: number, c: number, rows: number, columns: number, length: number): void;
}

const pageBytes = 65_536;
/** Rows of A and of B that are in the kernel's memory at a time take about so much: the second level of a cache holds them. */
const panelBytes = { a: 512 * 1024, b: 64 * 1024 };

/**
 * The kernel of dot-products.wat. Its memory holds a few rows of A and of B at a time, copied in as they are, and the
 * products of these: a megabyte, or what six rows take where that is more, however large the matrices are.
 *
 * Undefined where the platform lacks WebAssembly, SIMD or the memory.
 */
export function simdDotProducts(): DotProducts | undefined {
  const { WebAssembly: platform } = globalThis as { readonly WebAssembly?: Platform };
  const bytes = Uint8Array.from(atob(dotProductsModule), (character) => character.charCodeAt(0));
  if (platform?.validate(bytes) !== true) return undefined;
  let kernel: Exports;
  try {
    kernel = new platform.Instance(new platform.Module(bytes)).exports as Exports;
  } catch {
    return undefined;
  }
  return (a, b, length) => multiply(kernel, a, b, length);
}

function multiply(kernel: Exports, a: Float32Array, b: Float32Array, length: number): Float32Array {
  const rows = a.length / length;
  const columns = b.length / length;
  const padded = roundUp(length);
  const aRows = Math.min(rows, Math.max(2, Math.floor(panelBytes.a / (4 * padded))));
  const bRows = Math.min(roundUp(columns), Math.max(4, 4 * Math.floor(panelBytes.b / (16 * padded))));
  const bAt = aRows * padded;
  const cAt = bAt + bRows * padded;
  const memory = atLeast(kernel, 4 * (cAt + aRows * bRows));
  const c = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i += aRows) {
    const m = Math.min(aRows, rows - i);
    copyRows(memory, 0, a.subarray(i * length, (i + m) * length), length);
    for (let j = 0; j < columns; j += bRows) {
      const n = Math.min(bRows, columns - j);
      const stride = roundUp(n); // what is left of earlier rows fills the last four: its products are not read
      copyRows(memory, bAt, b.subarray(j * length, (j + n) * length), length);
      kernel.dot_products(0, 4 * bAt, 4 * cAt, m, stride, padded);
      for (let row = 0; row < m; row++) {
        const from = cAt + row * stride;
        const to = (i + row) * columns + j;
        for (let column = 0; column < n; column++) c[to + column] = memory[from + column]!;
      }
    }
  }
  return c;
}

/** The kernel's memory, grown to a number of bytes where it is smaller. */
function atLeast({ memory }: Exports, bytes: number): Float32Array {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
  return new Float32Array(memory.buffer);
}

/** Rows of a length, one after the other, each filled up with zeros to a multiple of four. */
function copyRows(memory: Float32Array, at: number, rows: Float32Array, length: number): void {
  const padded = roundUp(length);
  if (padded === length) return memory.set(rows, at);
  for (let from = 0, to = at; from < rows.length; from += length, to += padded) {
    memory.set(rows.subarray(from, from + length), to);
    memory.fill(0, to + length, to + padded);
  }
}

function roundUp(count: number): number {
  return 4 * Math.ceil(count / 4);
}
