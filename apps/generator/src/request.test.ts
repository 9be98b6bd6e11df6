import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  GeneratorServiceClient,
  type GenerateRequest,
  type InspectRequest,
  type ScoreContinuationRequest,
  type SweepRequest,
} from '@a2sf/contracts';
import { readGenerate, readInspect, readScore, readSweep, type RequestLimits } from './request.js';

const limits: RequestLimits = { maxNewTokens: 64, maxPromptBytes: 100 };
const { Generate, Sweep, Inspect, ScoreContinuation } = GeneratorServiceClient.service;
/** A request as it arrives: over the wire, so that defaults are filled in as the server sees them. */
const generate = (request: GenerateRequest) =>
  readGenerate(Generate.requestDeserialize(Generate.requestSerialize(request)), limits);
const sweep = (request: SweepRequest) => readSweep(Sweep.requestDeserialize(Sweep.requestSerialize(request)), limits);
const score = (request: ScoreContinuationRequest) =>
  readScore(ScoreContinuation.requestDeserialize(ScoreContinuation.requestSerialize(request)), limits);
const inspect = (request: InspectRequest) =>
  readInspect(Inspect.requestDeserialize(Inspect.requestSerialize(request)), limits);
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
  assert.throws(() => sweep({ prompt, budget: 0 }), /^A2sfError: budget: must be a whole number of at least 1, got 0/);
  assert.throws(
    () => sweep({ prompt, budget: 8, recent: 9 }),
    /recent: must be a whole number in 0\.\.8 \(the budget\), got 9/,
  );
});

test('the compressions of a sweep follow its actions, and need no action or budget beside them', () => {
  const actions = [{ a: 0.5, b: 3 }];
  const compressions = [{ method: 'snapkv', budget: 16 }, { method: 'full' }];
  const both = sweep({ prompt, budget: 8, actions, compressions, keep: [{ start: 1, end: 2 }] });
  assert.deepEqual(
    both.compressions.map(({ method, budget }) => [method, budget]),
    [
      [undefined, 8],
      ['snapkv', 16],
      ['full', 0],
    ],
  );
  assert.equal(both.compressions[0]!.keep!.length, 1);
  assert.equal(sweep({ prompt, compressions }).compressions.length, 2);
  const many = Array.from({ length: 250 }, () => ({ a: 1, b: 1 }));
  assert.throws(() => sweep({ prompt, budget: 8, actions: many, compressions: many.map(() => ({ method: 'full' })) }), {
    message: 'actions: at most 256 together with compressions, got 500',
  });
});

test('an action that names a budget is swept with it, the others with that of the request', () => {
  const actions = [
    { a: 0.5, b: 3, budget: 16 },
    { a: 0.5, b: 3 },
    { a: 0.5, b: 3, budget: 64 },
  ];
  const budgets = (request: object) => sweep({ prompt, ...request }).compressions.map(({ budget }) => budget);
  assert.deepEqual(budgets({ actions, budget: 8 }), [16, 8, 64]);
  assert.deepEqual(budgets({ actions: [actions[0], actions[2]] }), [16, 64]);
  const shared = sweep({ prompt, actions, budgetShare: 0.5 }).compressions;
  assert.deepEqual(
    shared.map(({ budget, budgetShare }) => [budget, budgetShare]),
    [
      [16, 0],
      [0, 0.5],
      [64, 0],
    ],
  );
  assert.throws(() => sweep({ prompt, actions }), /^A2sfError: budget: must be a whole number of at least 1, got 0/);
  assert.throws(
    () => sweep({ prompt, actions: [{ a: 1, b: 1, budget: 64 }, actions[0]!], recent: 20 }),
    /recent: must be a whole number in 0\.\.16 \(the budget\), got 20/,
  );
  assert.throws(
    () => sweep({ prompt, actions: [{ a: 1, b: 1, budget: 0 }] }),
    /actions\[0\]\.budget: must be a whole number in 1\.\.1048576, got 0/,
  );
});

test("the budget of a compression may be its action's, but not another beside it", () => {
  const action = { a: 0.5, b: 3, budget: 16 };
  for (const compression of [{ action }, { action, budget: 16 }]) {
    assert.equal(generate({ prompt, compression }).compression!.budget, 16);
  }
  for (const compression of [
    { action, budget: 8 },
    { action, budgetShare: 0.5 },
  ]) {
    assert.throws(() => generate({ prompt, compression }), { field: 'compression.action.budget' });
  }
});

test('a compression is refused by its field', () => {
  const bad: [object, RegExp][] = [
    [{ method: 'magic', budget: 8 }, /^A2sfError: compression\.method/],
    [{ budget: 8 }, /^A2sfError: compression\.action/],
    [{ method: 'h2o', budget: 8, pooling: 3 }, /^A2sfError: compression\.pooling/],
    [{ method: 'h2o', budget: 8, budgetShare: 0.5 }, /^A2sfError: compression\.budget_share/],
    [{ method: 'h2o', budgetShare: Number.NaN }, /^A2sfError: compression\.budget_share/],
    [{ method: 'h2o', budget: 8, keep: [{ start: 3, end: 3 }] }, /^A2sfError: compression\.keep\[0\]/],
    [{ method: 'snapkv', budget: 8, pooling: 0 }, /^A2sfError: compression\.pooling/],
    [{ method: 'a2sf', budget: 8, forgetting: 2 }, /^A2sfError: compression\.forgetting/],
  ];
  for (const [compression, message] of bad) {
    assert.throws(() => generate({ prompt, compression }), message, JSON.stringify(compression));
  }
});

test('alternatives and stop tokens are bounded, and an absent number of them asks for none', () => {
  assert.throws(() => generate({ prompt, logprobs: 21 }), /logprobs: must be in 0\.\.20, got 21/);
  assert.throws(
    () => generate({ prompt, stopTokenIds: Array.from({ length: 65 }, () => 1) }),
    /stop_token_ids: at most 64/,
  );
  assert.equal(generate({ prompt, logprobs: 0 }).logprobs, 0);
  assert.equal('logprobs' in generate({ prompt }), false);
});

test('a continuation must be there, and within the limit of new tokens', () => {
  assert.throws(() => score({ prompt }), /^A2sfError: continuation: needs text or token_ids/);
  assert.throws(() => score({ prompt, continuation: { text: ' ' } }), /continuation\.text: must not be blank/);
  const ids = Array.from({ length: 65 }, () => 1);
  assert.throws(() => score({ prompt, continuation: { tokenIds: { ids } } }), /at most 64 tokens .* got 65/);
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

test('selections are compared with none unless asked for, with sixty when none are named', () => {
  const compression = { method: 'h2o', budget: 8 };
  assert.deepEqual(inspect({ prompt, compression }).compareWith, []);
  assert.equal(inspect({ prompt, compression }).withStatistics, false);
  assert.equal(inspect({ prompt, compression, compare: {} }).compareWith!.length, 60);
});

test('compared actions share the budget of the compression unless they name one', () => {
  const keep = [{ start: 0, end: 2 }];
  const { compareWith } = inspect({
    prompt,
    compression: { method: 'h2o', budgetShare: 0.5, recent: 3, keep },
    compare: {
      actions: [
        { a: 1, b: 2 },
        { a: 1, b: 2, budget: 9 },
      ],
      compressions: [{ method: 'tova', budget: 7 }],
    },
  });
  assert.deepEqual(
    compareWith!.map(({ compression: { method, budget, budgetShare, recent, keep: kept }, path }) => [
      [method, budget, budgetShare, recent, kept!.length],
      path,
    ]),
    [
      [[undefined, 0, 0.5, 3, 1], 'compression.'],
      [[undefined, 9, 0, 3, 1], 'compression.'],
      [['tova', 7, 0, 0, 0], 'compare.compressions[0].'],
    ],
  );
});

test('what is wrong with a comparison is told by field', () => {
  const compression = { method: 'h2o', budget: 8 };
  const action = { a: 1, b: 1 };
  const bad: [InspectRequest, RegExp][] = [
    [{ compare: { actions: [action, { a: -1, b: 1 }] } }, /compare\.actions\[1\]/],
    [{ compare: { compressions: [{ method: 'h2o' }] } }, /compare\.compressions\[0\]\.budget: .* at least 1, got 0/],
    [{ compare: { compressions: [{ method: 'best' }] } }, /compare\.compressions\[0\]\.method/],
    [
      {
        compare: {
          actions: Array.from({ length: 200 }, () => action),
          compressions: Array.from({ length: 57 }, () => compression),
        },
      },
      /compare\.actions: at most 256 together with compressions, got 257/,
    ],
    [{ compression: { method: 'full' }, compare: {} }, /compression\.budget: .* at least 1, got 0/],
    [
      { compression: { method: 'h2o', budget: 8, recent: 5 }, compare: { actions: [{ ...action, budget: 4 }] } },
      /compression\.recent: must be a whole number in 0\.\.4/,
    ],
  ];
  for (const [request, message] of bad) {
    assert.throws(() => inspect({ prompt, compression, ...request }), { code: 'INVALID_ARGUMENT', message });
  }
});
