import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isA2sfError } from '@a2sf/errors';
import { readModelJson } from './model-json.js';
import { readModelConfig } from './model-config.js';

const root = mkdtempSync(join(tmpdir(), 'a2sf-config-'));
after(() => rmSync(root, { recursive: true }));

function folderWith(name: string, content?: string | Uint8Array): string {
  const folder = join(root, name);
  mkdirSync(folder);
  if (content !== undefined) writeFileSync(join(folder, 'config.json'), content);
  return folder;
}

function refuses(folder: string, code: string, pattern: RegExp): void {
  assert.throws(
    () => readModelConfig(folder),
    (error) =>
      isA2sfError(error) && error.code === code && pattern.test(error.message) && !error.message.includes(root),
  );
}

describe('config.json of a model folder', () => {
  test('is read field by field', () => {
    assert.equal(readModelConfig(folderWith('good', '{"hidden_size": 48}')).size('hidden_size'), 48);
  });

  test('must be there', () => {
    refuses(folderWith('empty'), 'NOT_FOUND', /config\.json/);
    refuses(join(root, 'nowhere'), 'NOT_FOUND', /config\.json/);
  });

  test('must be a JSON object', () => {
    for (const [i, content] of ['', '{', '[]', 'null', '3', '{"a": NaN}', new Uint8Array([0xff, 0xfe])].entries()) {
      refuses(folderWith(`broken${i}`, content), 'DATA_LOSS', /config\.json/);
    }
  });

  test('must be at most 1 MiB', () => {
    refuses(folderWith('large', `{"a": "${'x'.repeat(1024 * 1024)}"}`), 'DATA_LOSS', /limit of 1048576/);
  });

  test('must be nested 64 deep at most and hold at most a million values, brackets and commas in texts not counted', () => {
    refuses(folderWith('deep', '['.repeat(500_000)), 'DATA_LOSS', /nested deeper than 64/);
    assert.equal(readModelConfig(folderWith('text', `{"a\\"": "${'[,'.repeat(1000)}", "b": 3}`)).size('b'), 3);
    const folder = folderWith('many');
    writeFileSync(join(folder, 'x.json'), `[${'1,'.repeat(1_000_000)}1]`);
    assert.throws(() => readModelJson(folder, 'x.json', 1 << 25), /x\.json: holds more than 1000000 values/);
  });

  test('that is a folder is refused', () => {
    const folder = folderWith('odd');
    mkdirSync(join(folder, 'config.json'));
    refuses(folder, 'FAILED_PRECONDITION', /cannot be read/);
  });
});
