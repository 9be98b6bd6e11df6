import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseYaml } from './yaml-object.js';

/** What the parser says of a text; it never throws anything but an error with a place. */
function problem(text: string): string {
  try {
    parseYaml(text);
  } catch (error) {
    assert.ok(error instanceof Error && error.constructor === Error, String(error));
    return error.message;
  }
  return '';
}

test('scalars, lists, comments and quotes are read as YAML 1.2 says', () => {
  const text = `---
# what the run learns
lr: 1e-3   # Adam
seed: 42
overwrite: true
b_values: [1, 2,
  4]
a_values:
  - 0
  - 0.01
'save_dir': "runs/a: b"
reward: no
resume:
`;
  assert.deepEqual(parseYaml(text), {
    lr: 1e-3,
    seed: 42,
    overwrite: true,
    b_values: [1, 2, 4],
    a_values: [0, 0.01],
    save_dir: 'runs/a: b',
    reward: 'no',
    resume: null,
  });
  assert.equal(parseYaml('x'), 'x');
  assert.deepEqual(parseYaml('- a\r\n- b\r\n'), ['a', 'b']);
});

test('any JSON without deep nesting is read as JSON reads it', () => {
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
  const key = fc.stringMatching(/^[a-z_]{1,20}$/);
  fc.assert(
    fc.property(fc.dictionary(key, fc.oneof(scalar, fc.array(scalar, { maxLength: 20 })), { maxKeys: 20 }), (value) => {
      for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)])
        assert.deepEqual(JSON.stringify(parseYaml(text)), JSON.stringify(JSON.parse(text)));
    }),
  );
});

test('what makes a small text large, or means something else than it says, is refused with its place', () => {
  const bomb = ['a: &a [x, x]', ...'bcdefghij'.split('').map((c, i) => `${c}: &${c} [*${'abcdefghij'[i]}, *a]`)];
  const cases: [string, RegExp][] = [
    [bomb.join('\n'), /^line 1, column 4: anchors are not allowed$/],
    ['a: 1\nb: *a', /^line 2, column 4: aliases are not allowed$/],
    ['a: 1\nb: 2\na: 3', /^line 3, column 1: Map keys must be unique$/],
    ['{"a": 1, "a": 2}', /^line 1, column 10: Map keys must be unique$/],
    ['a: !!js/function "x"', /^line 1, column 4: tags are not allowed$/],
    ['a: !x y', /tags are not allowed/],
    ['%TAG ! tag:x\n---\na: 1', /^line 1, column 1: directives are not allowed$/],
    ['a: 1\n---\na: 2\n---\n', /second document|multiple documents/],
    ['a: 1\n...\nb: 2', /^line \d/],
    ['? [1]\n: 2', /^line 1, column 3: .*keys must be strings/],
    ['a: .nan', /^line 1, column 4: NaN is no number that is allowed$/],
    ['a: [1, -.inf]', /^line 1, column 8: -Infinity is no number/],
    ['a: [1', /^line 1, column \d+: /],
    ['a: b: c', /^line 1, column \d+: /],
    ['a: "x', /^line 1, column \d+: /],
    ['\ta: 1', /^line 1, column \d+: /],
  ];
  for (const [text, expected] of cases) assert.match(problem(text), expected, text.slice(0, 40));
});

test('what would take the parser’s stack or its time is refused before it is parsed', () => {
  for (const unit of ['[', '{a: ', '- ', '? ', 'a: ', '- - ', '? - ']) {
    assert.match(problem(unit.repeat(9000)), /^line 1, column \d+: nested too deep$/, unit);
  }
  const stairs = Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
  assert.match(problem(stairs), /^line 34, column 1: nested too deep$/);
  const keys = Array.from({ length: 9000 }, (_, i) => `k${i}:`).join('\n');
  assert.match(problem(keys), /over 10000 tokens/);
  assert.match(problem(`a: "${'x'.repeat(1 << 16)}"`), /the limit for YAML is 65536 bytes/);
});

test('any text is read or refused with one line', () => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '\n',
    '  ',
    '#',
    '|',
    '>',
    '&',
    '*',
    '!',
    '%',
    '?',
    '---',
    '\t',
    '\r',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }), (parts) => void problem(parts.join(''))),
    { numRuns: 500 },
  );
});
