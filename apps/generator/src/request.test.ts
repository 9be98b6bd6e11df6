import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GeneratorServiceClient, type GenerateRequest, type SweepRequest } from '@a2sf/contracts';
import { readGenerate, readSweep, type RequestLimits } from './request.js';

const limits: RequestLimits = { maxNewTokens: 64, maxPromptBytes: 100 };
const { Generate, Sweep } = GeneratorServiceClient.service;
/** A request as it arrives: over the wire, so that defaults are filled in as the server sees them. */
const generate = (request: GenerateRequest) =>
  readGenerate(Generate.requestDeserialize(Generate.requestSerialize(request)), limits);
const sweep = (request: SweepRequest) => readSweep(Sweep.requestDeserialize(Sweep.requestSerialize(request)), limits);
const prompt = { text: 'hello' };

test('what is left out gets its default', () => {
  const input = generate({ prompt });
  assert.equal(input.maxNewTokens, 16);
  assert.equal(input.compression, undefined);
  assert.deepEqual(input.prompt, { source: { text: 'hello' }, truncate: false, maxPromptTokens: 0, wrap: 'none' });
});

test('a sweep without actions means the default sixty', () => {
  assert.equal(sweep({ prompt, budget: 8 }).compressions.length, 60);
});

test('an action outside the default space is taken as it is', () => {
  assert.deepEqual(
    sweep({ prompt, budget: 8, actions: [{ a: 0.5, b: 3 }] }).compressions.map(({ action }) => action),
    [{ a: 0.5, b: 3 }],
  );
});

test('wrapping is read from its enum', () => {
  assert.equal(generate({ prompt, wrap: 'PROMPT_WRAP_INST' }).prompt.wrap, 'inst');
});

test('a text over the byte limit is refused before it is tokenised', () => {
  const long = { text: 'ä'.repeat(51) };
  assert.throws(() => generate({ prompt: long }), {
    code: 'RESOURCE_EXHAUSTED',
    message: 'prompt.text: 102 bytes, the limit is 100',
  });
});

test('sampling is refused by field, and temperature 0 is greedy', () => {
  const bad: [object, RegExp][] = [
    [{ temperature: Number.NaN }, /sampling\.temperature/],
    [{ temperature: -1 }, /sampling\.temperature/],
    [{ temperature: 101 }, /sampling\.temperature: must be a number from 0 to 100, got 101/],
    [{ temperature: 1, topP: 1.5 }, /sampling\.top_p/],
    [{ temperature: 1, minP: -0.1 }, /sampling\.min_p/],
    [{ temperature: 1, repetitionPenalty: Infinity }, /sampling\.repetition_penalty/],
  ];
  for (const [sampling, message] of bad) {
    assert.throws(() => generate({ prompt, sampling }), { code: 'INVALID_ARGUMENT', message });
  }
  assert.equal(generate({ prompt, sampling: { temperature: 0, topK: 5 } }).sampling, undefined);
  assert.equal(generate({ prompt }).sampling, undefined);
});

test('what sampling leaves out restricts nothing, and an absent seed is a new one', () => {
  const { seed, ...rest } = generate({ prompt, sampling: { temperature: 0.7 } }).sampling!;
  assert.deepEqual(rest, { temperature: 0.7, repetitionPenalty: 1, topK: 0, topP: 1, minP: 0 });
  assert.ok(Number.isInteger(seed));
  assert.equal(generate({ prompt, sampling: { temperature: 0.7, seed: 0 } }).sampling!.seed, 0);
});

test('a budget of 0 and a budget below recent are refused', () => {
  assert.throws(() => sweep({ prompt, budget: 0 }), /^A2sfError: budget: must be at least 1/);
  assert.throws(() => sweep({ prompt, budget: 8, recent: 9 }), /recent: must be at most the budget 8, got 9/);
});

test('more stop strings or longer ones than allowed are refused', () => {
  assert.throws(
    () => generate({ prompt, stop: Array.from({ length: 17 }, () => 'x') }),
    /stop: at most 16 strings, got 17/,
  );
  assert.throws(
    () => generate({ prompt, stop: ['x'.repeat(257)] }),
    /stop\[0\]: must have 1\.\.256 characters, has 257/,
  );
});
