import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createLogger } from '@a2sf/observability';
import { until } from './loopback.fixture.js';
import { WatchedFiles } from './watched-files.js';

const folder = mkdtempSync(join(tmpdir(), 'a2sf-watched-'));
after(() => rmSync(folder, { recursive: true }));

test('a change is told once, also by a link; what does not fit is logged once and leaves the last value', async () => {
  const lines: string[] = [];
  const log = createLogger({ name: 'test', level: 'info', stream: { write: (line: string) => void lines.push(line) } });
  const point = (content: string): void => {
    writeFileSync(join(folder, content), content);
    symlinkSync(join(folder, content), join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'link'));
  };
  const logged = (text: string): number => lines.filter((line) => line.includes(text)).length;
  let read = 0;
  const parse = ([content]: readonly Buffer[]): number => {
    read++;
    const value = Number(content);
    if (Number.isNaN(value)) throw new Error('not a number');
    return value;
  };
  point('1');
  const watched = new WatchedFiles({ files: [{ flag: 'x', path: join(folder, 'link') }], parse, reloadMs: 5, log });
  const told: number[] = [];
  watched.onChange((value) => told.push(value));
  try {
    assert.equal(watched.value, 1);
    point('2');
    await until(() => told.length > 0);
    point('two');
    await until(() => read > 5);
    assert.deepEqual([watched.value, logged('not a number')], [2, 1]);
    rmSync(join(folder, 'link'));
    await until(() => logged('ENOENT') > 0);
    assert.equal(watched.value, 2);
    point('3');
    await until(() => watched.value === 3);
    assert.deepEqual(told, [2, 3]);
  } finally {
    watched.close();
  }
});
