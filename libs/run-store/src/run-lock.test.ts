import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RunLock } from './run-lock.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-lock-'));
after(() => rmSync(root, { recursive: true }));
const locked = { code: 'FAILED_PRECONDITION', reason: 'run-locked' };

function writeLock(folder: string, owner: object, ageSeconds = 0): void {
  const path = join(folder, 'run.lock');
  writeFileSync(path, JSON.stringify(owner));
  const then = new Date(Date.now() - 1000 * ageSeconds);
  utimesSync(path, then, then);
}

test('a second owner is refused until the first gives the lock back', async () => {
  const folder = join(root, 'a', 'b');
  const first = await RunLock.acquire(folder);
  await assert.rejects(RunLock.acquire(folder), { ...locked, message: new RegExp(`process ${process.pid} on `) });
  await first.release();
  await first.release();
  const second = await RunLock.acquire(folder);
  await first.release(); // no longer its own
  assert.ok(existsSync(join(folder, 'run.lock')));
  await second.release();
  assert.deepEqual(readdirSync(folder), []);
});

test('of many that try at once one gets the lock, also when a dead one holds it', async () => {
  const folder = join(root, 'many');
  const dead = { id: 'x', pid: spawnSync(process.execPath, ['-e', '']).pid, host: hostname(), started: null };
  for (const stale of [undefined, dead]) {
    if (stale !== undefined) writeLock(folder, stale);
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => RunLock.acquire(folder)));
    const owners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    assert.equal(owners.length, 1);
    await owners[0]!.release();
    assert.deepEqual(readdirSync(folder), []);
  }
});

test('the lock of a process killed with SIGKILL is taken over', async () => {
  const folder = join(root, 'killed');
  const code = `const { RunLock } = await import(${JSON.stringify(new URL('./run-lock.js', import.meta.url).href)});
    await RunLock.acquire(${JSON.stringify(folder)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await assert.rejects(RunLock.acquire(folder), { ...locked, message: new RegExp(`process ${child.pid} `) });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  await (await RunLock.acquire(folder)).release();
});

test('a number given again to another process, a broken lock and a machine silent for minutes hold no lock', async () => {
  const folder = join(root, 'stale');
  await (await RunLock.acquire(folder)).release();
  if (existsSync('/proc/self/stat')) {
    writeLock(folder, { id: 'x', pid: process.pid, host: hostname(), started: '1' });
    await (await RunLock.acquire(folder)).release();
  }
  writeFileSync(join(folder, 'run.lock'), '{');
  await (await RunLock.acquire(folder)).release();
  const elsewhere = { id: 'x', pid: 1, host: 'elsewhere.invalid', started: '1' };
  writeLock(folder, elsewhere);
  await assert.rejects(RunLock.acquire(folder), locked);
  writeLock(folder, elsewhere, 600);
  await (await RunLock.acquire(folder)).release();
});
