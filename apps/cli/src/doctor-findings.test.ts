import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesInWords, findingLines, findingOf, isHealthy, type Finding } from './doctor-findings.js';

const fine: Finding = { check: 'a', verdict: 'ok', message: 'well' };
const warned: Finding = { check: 'long name', verdict: 'warning', message: 'odd', fix: 'mend it' };
const wrong: Finding = { check: 'b', verdict: 'problem', message: 'broken' };

test('findings are columns with the fix below, and their number at the end', () => {
  assert.equal(
    findingLines([fine, warned, wrong]),
    [
      'ok       a          well',
      'warning  long name  odd',
      '                    fix: mend it',
      'problem  b          broken',
      '',
      '1 problem, 1 warning',
      '',
    ].join('\n'),
  );
  assert.match(findingLines([fine]), /\nno problems, no warnings\n$/);
});

test('a warning leaves a machine healthy, a problem does not', () => {
  assert.equal(isHealthy([fine, warned]), true);
  assert.equal(isHealthy([fine, wrong]), false);
});

test('an error of several lines becomes a finding of one', () => {
  assert.equal(findingOf('x', 'problem', new Error('one\n  two')).message, 'one; two');
});

test('bytes are told with a unit of 1024', () => {
  const told = [0, 1023, 1024, 1536, 2 ** 20, 3 * 2 ** 30, 2 ** 52].map(bytesInWords);
  assert.deepEqual(told, ['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '1.0 MiB', '3.0 GiB', '4096.0 TiB']);
});
