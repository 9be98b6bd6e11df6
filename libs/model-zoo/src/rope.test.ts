import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inverseFrequencies, readRopeScaling, rotaryTables } from './rope.js';

test('unscaled frequencies fall from 1 to nearly 1 / theta', () => {
  const f = inverseFrequencies(8, 10000, { type: 'none' });
  assert.deepEqual(
    [...f].map((value) => Number(value.toPrecision(12))),
    [1, 0.1, 0.01, 0.001],
  );
});

test('llama3 scaling keeps short waves, divides long ones and blends between', () => {
  const scaling = {
    type: 'llama3',
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalMaxPositions: 256,
  } as const;
  const plain = inverseFrequencies(16, 500000, { type: 'none' });
  const scaled = inverseFrequencies(16, 500000, scaling);
  scaled.forEach((f, i) => {
    const wavelength = (2 * Math.PI) / plain[i]!;
    if (wavelength < 256 / 4) assert.equal(f, plain[i]);
    else if (wavelength > 256) assert.equal(f, plain[i]! / 8);
    else assert.ok(f < plain[i]! && f > plain[i]! / 8);
  });
});

test('linear scaling divides every frequency', () => {
  assert.deepEqual([...inverseFrequencies(4, 100, { type: 'linear', factor: 4 })], [0.25, 0.025]);
});

test('position 0 is not rotated', () => {
  const { cos, sin } = rotaryTables(inverseFrequencies(4, 100, { type: 'none' }), 2);
  assert.deepEqual([...cos.subarray(0, 2), ...sin.subarray(0, 2)], [1, 1, 0, 0]);
});

test('an unknown kind of scaling is refused by name', () => {
  assert.throws(
    () => readRopeScaling({ rope_type: 'yarn', factor: 2 }),
    /rope_scaling.rope_type: "yarn" is not supported/,
  );
  assert.throws(
    () => readRopeScaling({ type: 'linear', factor: -1 }),
    /rope_scaling.factor: must be a positive number/,
  );
});
