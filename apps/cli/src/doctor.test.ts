import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Finding } from './doctor-findings.js';

const command = fileURLToPath(new URL('../bin/a2sf.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'a2sf-doctor-'));
after(() => rmSync(folder, { recursive: true }));

function a2sf(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...argv], {
    encoding: 'utf8',
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
  });
  return { status, stdout, stderr };
}

test('a2sf doctor finds this machine fit, and ends with 0', () => {
  const { status, stdout, stderr } = a2sf(['doctor', '--json']);
  const { ok, findings } = JSON.parse(stdout) as { readonly ok: boolean; readonly findings: readonly Finding[] };
  assert.deepEqual({ status, stderr, ok }, { status: 0, stderr: '', ok: true });
  const verdict = new Map(findings.map((finding) => [finding.check, finding.verdict]));
  for (const check of ['a2sf', 'node', 'onnxruntime', 'device cpu', 'embedded model', 'embedded encoder']) {
    assert.equal(verdict.get(check), 'ok', check);
  }
  assert.ok(verdict.has('disk') && verdict.has('memory'));
});

test('a2sf doctor ends with 1 where there is a problem, and tells the fix below it', () => {
  const { status, stdout, stderr } = a2sf(['doctor', '--model_name', './absent', '--encoder', '127.0.0.1:1']);
  assert.deepEqual({ status, stderr }, { status: 1, stderr: '' });
  assert.match(stdout, /^problem +model +--model_name: there is no folder "\.\/absent"\n +fix: /m);
  assert.match(stdout, /^problem +encoder +127\.0\.0\.1:1 is not serving.*\n +fix: start it by a2sf serve encoder/m);
  assert.match(stdout, /\n2 problems, /);
});

test('a2sf doctor ends with 2 on wrong usage', () => {
  const { status, stdout } = a2sf(['doctor', '--generator', 'x:1']);
  assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
});

test('a2sf train --dry_run tells where each value came from, and starts nothing', () => {
  writeFileSync(join(folder, 'run.json'), '{"budget": 64, "lr": 0.5}');
  const argv = ['train', '--dry_run', '--config', 'run.json', '--seed', '7'];
  const { status, stdout, stderr } = a2sf(argv, { A2SF_LR: '0.25' });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  const lines = stdout.split('\n').map((line) => line.split(/ {2,}/));
  for (const line of [
    ['seed', '7', 'flag'],
    ['lr', '0.25', 'environment A2SF_LR'],
    ['budget', '64', 'file run.json'],
    ['iterations', '1000', 'default'],
    ['resume', '-', 'default'],
  ]) {
    assert.deepEqual(
      lines.find(([name]) => name === line[0]),
      line,
    );
  }
  assert.ok(!existsSync(join(folder, 'runs')));
});

test('a dry run of a resumed run tells what comes from its record', () => {
  const run = join(folder, 'resumed');
  const short = ['--episodes_per_update', '1', '--eval_samples', '1', '--max_new_tokens', '1', '--http_port', '0'];
  const begun = a2sf(['train', '--iterations', '1', ...short, '--threads', '1', '--save_dir', run]);
  assert.equal(begun.status, 0, begun.stderr);
  const { status, stdout } = a2sf(['train', '--dry_run=json', '--resume', run, '--iterations', '3']);
  assert.equal(status, 0);
  const told = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(told['iterations'], { value: 3, source: 'flag' });
  assert.deepEqual(told['episodes_per_update'], { value: 1, source: 'run' });
  assert.deepEqual(told['save_dir'], { value: run, source: 'run' });
  assert.deepEqual(told['lr'], { value: 3e-4, source: 'default' });
  assert.deepEqual((told['a_values'] as Record<string, unknown>)['source'], 'default');
});

test('a dry run refuses what the run would refuse', () => {
  const { status, stdout, stderr } = a2sf(['train', '--dry_run', '--encoder', '127.0.0.1:1']);
  assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
  assert.match(stderr, /--generators, --reward_service, --policy: the addresses of all four/);
});

test('a dry run of demo and of a service is JSON on request', () => {
  const demo = JSON.parse(a2sf(['demo', '--dry_run=json']).stdout) as Record<string, unknown>;
  assert.deepEqual(demo['budget'], { value: 64, source: 'default' });
  const { status, stdout } = a2sf(['serve', 'policy', '--dry_run=json', '--port', '5'], { A2SF_HOST: '::1' });
  assert.equal(status, 0);
  const policy = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(policy['port'], { value: 5, source: 'flag' });
  assert.deepEqual(policy['host'], { value: '::1', source: 'environment', from: 'A2SF_HOST' });
});
