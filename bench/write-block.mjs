import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Puts what a benchmark measured between its marks in a page, `<!-- NAME: written by SCRIPT -->` and `<!-- end of NAME -->`,
 * and formats the page.
 * @param page path from the project's folder, such as docs/benchmarks.md.
 * @throws Error when the page lacks the marks; nothing is written then.
 */
export function writeBlock(page, name, script, block) {
  const file = fileURLToPath(new URL(`../${page}`, import.meta.url));
  const [begin, end] = [`<!-- ${name}: written by ${script} -->`, `<!-- end of ${name} -->`];
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} lacks the marks ${begin} and ${end}`);
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${block}\n\n${text.slice(to)}`);
  const { status } = spawnSync('npx', ['prettier', '--write', '--log-level', 'error', file], { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${page} is written, but prettier failed`);
}
