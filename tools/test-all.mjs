// Runs the test target of every project through nx, uncached, and closes with one line that sums them all.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nx = spawn(
  join(root, 'node_modules', '.bin', 'nx'),
  ['run-many', '-t', 'test', '--parallel=1', '--skip-nx-cache', '--output-style=static', '--nxBail=false'],
  { cwd: root, env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false' }, stdio: ['ignore', 'pipe', 'inherit'] },
);
let output = '';
nx.stdout.setEncoding('utf8').on('data', (text) => {
  output += text;
  process.stdout.write(text);
});
nx.on('close', (code) => {
  const sums = [...output.matchAll(/^tests: (\d+) passed, (\d+) failed, (\d+) skipped$/gm)];
  const sum = (group) => sums.reduce((total, match) => total + Number(match[group]), 0);
  const failed = code === 0 ? sum(2) : Math.max(1, sum(2));
  console.log(`\n${sum(1)} passed, ${failed} failed, ${sum(3)} skipped`);
  process.exit(code === 0 && sums.length > 0 ? 0 : 1);
});
