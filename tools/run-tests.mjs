// Runs the compiled tests of one project: `node tools/run-tests.mjs dist`. Fails when no test ran, which node's runner does not.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2] ?? 'dist';
const files = existsSync(folder)
  ? readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.test.js'))
      .map((name) => join(folder, name))
      .sort()
  : [];
if (files.length === 0) {
  console.error(`no *.test.js below ${folder}: build first, or write a test`);
  process.exit(1);
}
// nx asks for colours; tests read what processes print.
const { FORCE_COLOR: _, ...env } = process.env;
const run = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=1', '--test-timeout=600000', '--test-reporter=tap', ...files],
  { env, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] },
);
const count = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(run.stdout)?.[1] ?? 0);
const failed = run.status !== 0;
process.stdout.write(failed ? run.stdout : (run.stdout.match(/^.*# SKIP.*$/gm)?.join('\n') ?? ''));
console.log(`\ntests: ${count('pass')} passed, ${count('fail')} failed, ${count('skipped')} skipped`);
process.exit(failed || count('pass') + count('skipped') === 0 ? 1 : 0);
