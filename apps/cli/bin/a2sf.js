#!/usr/bin/env node
// The command a2sf. It stands in the tree, and is executable, so that npm links it before anything is built.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  console.error('a2sf: not built yet, run npm run build first');
  process.exitCode = 1;
}
