import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const index = new URL('./index.js', import.meta.url).href;
const errors = new URL('../../errors/dist/index.js', import.meta.url).href;

function run(body: string, env: NodeJS.ProcessEnv = {}) {
  const program = `
    import { option, port, resolveOptions, runMain } from '${index}';
    import { A2sfError } from '${errors}';
    runMain('demo', async (argv) => { ${body} });`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  });
}

test('a failure of ours ends the process with 1 and one line, without a stack', () => {
  const { status, stdout, stderr } = run(`throw new A2sfError('UNAVAILABLE', 'peer not reachable at x:1')`);
  assert.deepEqual([status, stdout, stderr], [1, '', 'demo: peer not reachable at x:1\n']);
});

test('wrong usage ends the process with 2 and a line for each violation', () => {
  const options = `{ port: option({ schema: port, description: 'p', default: 1 }) }`;
  const { status, stderr } = run(`resolveOptions({ name: 'demo', description: '' }, ${options}, ['--port', 'x', 'y'])`);
  assert.equal(status, 2);
  assert.deepEqual(
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(0, 12)),
    ['demo: "y": no', 'demo: --port'].map((line) => line.slice(0, 12)),
  );
});

test('--help prints the help and ends the process with 0', () => {
  const { status, stdout, stderr } = run(`resolveOptions({ name: 'demo', description: 'Helps.' }, {}, ['--help'])`);
  assert.equal(status, 0);
  assert.equal(stderr, '');
  assert.match(stdout, /Helps\./);
});

test('an unexpected error shows its stack at the debug level only, also when nobody awaited it', () => {
  const quiet = run(`throw new TypeError('odd')`);
  assert.deepEqual([quiet.status, quiet.stderr], [1, 'demo: odd\n']);
  const debug = run(`throw new TypeError('odd', { cause: new Error('root') })`, { A2SF_LOG_LEVEL: 'debug' });
  assert.match(debug.stderr, /^demo: odd\nTypeError: odd\n {4}at /);
  assert.match(debug.stderr, /caused by: Error: root/);
  const loose = run(`void Promise.reject(new Error('loose')); await new Promise((r) => setTimeout(r, 1000))`);
  assert.deepEqual([loose.status, loose.stderr], [1, 'demo: loose\n']);
});

test('--dry_run prints the options, does nothing else and ends the process with 0', () => {
  const options = `{ port: option({ schema: port, description: 'p', default: 1 }) }`;
  const body = (argv: string) =>
    `resolveOptions({ name: 'demo', description: '' }, ${options}, ${argv}); process.stdout.write('started')`;
  const table = run(body(`['--dry_run']`), { A2SF_PORT: '7' });
  assert.deepEqual([table.status, table.stdout, table.stderr], [0, 'port  7  environment A2SF_PORT\n', '']);
  const json = run(body(`['--port', '8', '--dry_run=json']`));
  assert.deepEqual([json.status, JSON.parse(json.stdout)], [0, { port: { value: 8, source: 'flag' } }]);
  const wrong = run(body(`['--dry_run', '--port', 'x']`));
  assert.deepEqual([wrong.status, wrong.stdout], [2, '']);
});
