import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodePolicyCheckpoint, readTorchCheckpoint } from '@a2sf/run-store';

const command = fileURLToPath(new URL('../../bin/a2sf.js', import.meta.url));
const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../../test/fixtures/seed-checkpoint/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-import-'));
after(() => rmSync(folder, { recursive: true }));

function a2sf(...argv: string[]) {
  const options = { encoding: 'utf8', input: '', cwd: folder } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, 'import', ...argv], options);
  return { status, stdout, stderr };
}

test('a checkpoint of the reference is written in our format, under its iteration, and never replaced unasked', () => {
  const done = 'iteration 10, 6 actions, embeddings of 16, width 32';
  assert.deepEqual(a2sf(fixture('policy_10.pt')), {
    status: 0,
    stdout: `policy_10.safetensors: ${done}\n`,
    stderr: '',
  });
  const written = readFileSync(join(folder, 'policy_10.safetensors'));
  const { checkpoint } = readTorchCheckpoint(fixture('policy_10.pt'));
  assert.deepEqual(decodePolicyCheckpoint(written), { checkpoint, warnings: [] });
  const again = a2sf(fixture('policy_10.pt'));
  assert.deepEqual([again.status, again.stdout], [1, '']);
  assert.match(again.stderr, /^a2sf: --out: policy_10\.safetensors is there already; .*--overwrite\n$/);
  assert.equal(a2sf(fixture('policy_10.pt'), '--overwrite').status, 0);
  const elsewhere = join(folder, 'mine.safetensors');
  assert.equal(a2sf('--out', elsewhere, '--file', fixture('policy_10_main.pt')).status, 0);
  assert.deepEqual(readFileSync(elsewhere), written);
});

test('what the file does not tell is a warning', () => {
  const { status, stdout, stderr } = a2sf(fixture('policy_final.pt'));
  assert.deepEqual([status, stdout.split(':')[0]], [0, 'policy_0.safetensors']);
  assert.equal(stderr, 'a2sf: policy_final.pt: tells no iteration: taken as iteration 0\n');
});

test('what cannot be imported leaves no file and is one line', () => {
  const before = readdirSync(folder);
  const hostile = join(tmpdir(), `a2sf-hostile-${process.pid}.pt`);
  writeFileSync(hostile, readFileSync(fixture('policy_10.pt')).subarray(0, 20_000));
  const cases: [string[], number, RegExp][] = [
    [[], 2, /--file: name the \.pt file/],
    [[fixture('policy_10.pt'), '--out', join(folder, 'x.pt')], 2, /--out: must end in \.safetensors, got x\.pt/],
    [[join(folder, 'none.pt')], 1, /none\.pt: no such file/],
    [[hostile], 1, /has no zip directory at its end/],
    [[fixture('expected.safetensors')], 1, /expected\.safetensors: is not a zip file/],
  ];
  for (const [argv, code, message] of cases) {
    const { status, stdout, stderr } = a2sf(...argv);
    assert.deepEqual([status, stdout], [code, '']);
    assert.match(stderr, message);
    assert.ok(!stderr.includes('    at '), 'no stack trace');
  }
  rmSync(hostile);
  assert.deepEqual(readdirSync(folder), before);
  assert.ok(!existsSync(join(folder, 'x.pt')));
});
