import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../bin/a2sf.js', import.meta.url));

function a2sf(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...argv], { encoding: 'utf8', input: '' });
  return { status, stdout, stderr };
}

test('a2sf tells its commands and its version', () => {
  for (const argv of [[], ['--help']]) {
    const { status, stdout } = a2sf(...argv);
    assert.equal(status, 0);
    for (const name of [
      'train',
      'demo',
      'serve',
      'select',
      'generate',
      'sweep',
      'inspect',
      'import',
      'explain',
      'evaluate',
      'replay',
      'report',
      'doctor',
    ]) {
      assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    }
  }
  assert.match(a2sf('--version').stdout, /^\d+\.\d+\.\d+\n$/);
});

test('every command lists its flags', () => {
  for (const argv of [
    ['train'],
    ['demo'],
    ['select'],
    ['generate'],
    ['sweep'],
    ['inspect'],
    ['import'],
    ['explain'],
    ['evaluate'],
    ['replay'],
    ['report'],
    ['doctor'],
    ['serve', 'policy'],
  ]) {
    const { status, stdout, stderr } = a2sf(...argv, '--help');
    assert.deepEqual({ argv, status, stderr }, { argv, status: 0, stderr: '' });
    assert.match(stdout, /--\w+ <value>/);
  }
});

test('the demo’s help shows its profile, which differs from the defaults of train', () => {
  const [demo, train] = ['demo', 'train'].map((name) => a2sf(name, '--help').stdout.replaceAll(/\s+/g, ' '));
  assert.match(demo!, /--budget <value> [^-]*default: 64/);
  assert.match(train!, /--budget <value> [^-]*default: 128/);
});

test('unknown commands, services and flags are one line and exit code 2', () => {
  const cases = [
    [['trian'], /trian: unknown command, did you mean train\?/],
    [['serve', 'encodr'], /encodr: unknown service, did you mean encoder\?/],
    [['serve'], /serve: name one of encoder, generator, reward, policy/],
    [['train', '--iteration', '3'], /--iteration: unknown flag, did you mean --iterations\?/],
    [['generate', '--prompt', 'x', '--action', '10'], /--action: must be a,b/],
    [['train', '--encoder', '127.0.0.1:1'], /--generators, --reward_service, --policy: the addresses of all four/],
  ] as const;
  for (const [argv, message] of cases) {
    const { status, stdout, stderr } = a2sf(...argv);
    assert.deepEqual({ argv, status, stdout }, { argv, status: 2, stdout: '' });
    assert.match(stderr, message);
    assert.ok(!stderr.includes('    at '), 'no stack trace');
  }
});

test('a peer that is not there is one line and exit code 1', () => {
  const { status, stderr } = a2sf('generate', '--prompt', 'x', '--address', '127.0.0.1:1');
  assert.equal(status, 1);
  assert.equal(stderr, 'a2sf: peer not reachable at 127.0.0.1:1\n');
});
