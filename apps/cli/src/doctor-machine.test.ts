import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkDevices, checkDisk, checkMemory, checkNode, checkOnnxruntime, lowestNode } from './doctor-machine.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-doctor-'));
after(() => rmSync(folder, { recursive: true }));

test('the lowest Node is the one that the workspace names', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  assert.equal(engines.node, `>=${lowestNode}`);
});

test('a Node below the lowest is a problem with a fix, any other is not', () => {
  for (const version of ['20.12.0', '20.13.1', '22.0.0', '100.1.0']) assert.equal(checkNode(version).verdict, 'ok');
  for (const version of ['20.11.9', '18.20.0', '4.99.0']) {
    const { verdict, fix } = checkNode(version);
    assert.deepEqual([verdict, fix], ['problem', 'install Node 20.12 or later']);
  }
});

test('onnxruntime loads, and tells its version', async () => {
  const { verdict, message } = await checkOnnxruntime();
  assert.equal(verdict, 'ok', message);
  assert.match(message, /^\d+\.\d+\.\d+ loads$/);
});

test('a device that lacks is a warning with its remedy, and a problem where it is wanted', async () => {
  const of = async (wanted: string) => new Map((await checkDevices(wanted)).map((found) => [found.check, found]));
  const [any, cuda] = [await of('auto'), await of('cuda:999')];
  assert.equal(any.get('device cpu')?.verdict, 'ok');
  assert.notEqual(any.get('device webgpu')?.verdict, 'problem');
  assert.notEqual(any.get('device cuda')?.verdict, 'problem');
  const missing = cuda.get('device cuda:999');
  assert.equal(missing?.verdict, 'problem');
  assert.match(missing.message, /^cannot be used \(.+\)$/);
  assert.match(missing.fix ?? '', /CUDA.*or use --device cpu$/);
});

test('room is looked for where the run will be, and a path through a file is a problem', () => {
  const there = checkDisk(join(folder, 'not', 'yet', 'there'));
  assert.notEqual(there.verdict, 'problem');
  assert.ok(there.message.endsWith(` free in ${folder}`));
  const file = join(folder, 'file');
  writeFileSync(file, '');
  for (const path of [file, join(file, 'run')]) {
    const { verdict, message, fix } = checkDisk(path);
    assert.deepEqual([verdict, message], ['problem', `${file} is no folder`]);
    assert.match(fix ?? '', /--save_dir/);
  }
});

test('less memory than the models take is a warning', () => {
  assert.equal(checkMemory(0).check, 'memory');
  assert.equal(checkMemory(2 ** 30, 2 ** 31).verdict, 'ok');
  assert.equal(checkMemory(2 ** 30, 2 ** 31 - 1).verdict, 'warning');
  assert.match(checkMemory(0, 0).message, /^0 B free, about 1\.0 GiB is needed$/);
});
