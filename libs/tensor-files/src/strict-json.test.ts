import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseStrictJson, StrictJsonError, type StrictJson } from './strict-json.js';

const limits = { maxDepth: 100, maxValues: 10_000 };

function plain(value: StrictJson): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

test('what JSON.stringify writes is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(undefined, 1), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      assert.deepEqual(plain(parseStrictJson(text, limits)), JSON.parse(text));
    }),
  );
});

test('any text is either read as JSON.parse reads it or refused with a StrictJsonError', () => {
  const pieces = fc.array(fc.constantFrom(...Array.from('{}[]",:0123-.eE+ \\u\n'), 'true', 'null', '"a"', '\u0000'), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(
      pieces.map((all) => all.join('')),
      (text) => {
        let value: StrictJson;
        try {
          value = parseStrictJson(text, limits);
        } catch (error) {
          assert.ok(error instanceof StrictJsonError);
          return;
        }
        assert.deepEqual(plain(value), JSON.parse(text));
      },
    ),
    { numRuns: 2000 },
  );
});

test('a duplicate key, a deep nesting and too many values are refused', () => {
  assert.throws(() => parseStrictJson('{"a":1,"\\u0061":2}', limits), /key "a" twice/);
  assert.throws(() => parseStrictJson('['.repeat(1_000_000), limits), /deeper than 100/);
  assert.throws(() => parseStrictJson(`[${'0,'.repeat(1_000_000)}0]`, limits), /more than 10000 values/);
});

test('the key __proto__ is a key like any other', () => {
  const value = parseStrictJson('{"__proto__":{"polluted":true}}', limits);
  assert.ok(value instanceof Map && value.has('__proto__'));
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});
