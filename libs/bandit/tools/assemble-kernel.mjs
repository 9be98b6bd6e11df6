// Writes src/kernel/dot-products-module.ts from src/kernel/dot-products.wat. The assembler is no dependency of the project;
// from this folder's parent:
//
//   npm install --no-save wabt && node tools/assemble-kernel.mjs
//
// A test compares the two where wabt is installed.
import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

const folder = new URL('../src/kernel/', import.meta.url);
const { parseWat } = await wabt();
const module = parseWat('dot-products.wat', readFileSync(new URL('dot-products.wat', folder), 'utf8'), { simd: true });
const text = Buffer.from(module.toBinary({}).buffer).toString('base64');
const lines = text.match(/.{1,110}/g).map((line) => `  '${line}',`);
const source = `/** dot-products.wat, assembled by tools/assemble-kernel.mjs; in base64. Not edited by hand. */
export const dotProductsModule: string = [
${lines.join('\n')}
].join('');
`;
writeFileSync(new URL('dot-products-module.ts', folder), source);
