import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ActionSpace, compressionMethodNames, type CompressionRequest } from '@a2sf/kv-compression';
import type { GenerateChunk, GenerateInput, PromptInput, SweepOutput } from './language-model-types.js';
import { LanguageModel } from './language-model.js';
import { testedEngines } from './tested-devices.fixture.js';

const folder = fileURLToPath(new URL('../../../models/tiny-a2sf/llm', import.meta.url));
const free = { checkCancelled: (): void => {} };
const words = 'Read the notes and answer with the full name. The office of Mara Copper is in the north. ';
const prompt = (repeats: number, extra = ''): PromptInput => ({
  source: { text: words.repeat(repeats) + extra },
  truncate: false,
  maxPromptTokens: 0,
  wrap: 'none',
});
const request = (input: PromptInput, compression?: CompressionRequest, maxNewTokens = 12): GenerateInput => ({
  prompt: input,
  compression,
  maxNewTokens,
  ignoreEos: true,
  stop: [],
});

for (const { name, options, skip, skipLong } of testedEngines) {
  describe(`texts decoded together, on ${name}`, { skip }, () => {
    let model: LanguageModel;
    const inUse: number[] = [];
    before(async () => {
      model = await LanguageModel.load({ folder, name: 'tiny', threads: 1, ...options }, (slots) => inUse.push(slots));
    });
    after(() => model.dispose());

    async function tokensOf(input: GenerateInput, control = free): Promise<number[]> {
      const tokens: number[] = [];
      await model.generate(input, (chunk) => tokens.push(...chunk.tokenIds), control);
      return tokens;
    }

    test(
      'requests of every length and method write alone what they write side by side',
      { skip: skipLong },
      async () => {
        const inputs = [1, 2, 3, 5, 8, 13].flatMap((repeats, i) => [
          request(prompt(repeats, 'Who?'), undefined, 5 + i),
          request(prompt(repeats, 'Who?'), { action: { a: 10, b: 8 }, budget: 16 + 4 * i }, 20 - i),
          request(prompt(repeats), { method: 'snapkv', budget: 40 }, 9),
        ]);
        const alone: number[][] = [];
        for (const input of inputs) alone.push(await tokensOf(input));
        inUse.length = 0;
        assert.deepEqual(await Promise.all(inputs.map((input) => tokensOf(input))), alone);
        assert.ok(Math.max(...inUse) > 2, 'several slots were in use at once');
        assert.equal(inUse.at(-1), 0);
      },
    );

    // Cut in parts, of which the first is also run where single calls take seconds each; shorter on such a device.
    const [repeats, tokens] = options.device === 'webgpu' ? [4, 4] : [9, 12];
    const actions = ActionSpace.default.actions();
    const parts = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    describe(`a sweep of ${actions.length} actions equals as many single calls, token for token`, () => {
      const input = prompt(repeats, 'Where is the office of Mara Copper?');
      const compressions = actions.map((action) => ({ action, budget: 48 }));
      let swept: Promise<SweepOutput> | undefined;
      const sweep = (): Promise<SweepOutput> =>
        (swept ??= model.sweep(
          { prompt: input, compressions, maxNewTokens: tokens, ignoreEos: true, includeFull: true },
          free,
        ));

      for (const part of parts) {
        const title = `actions ${part}, ${part + parts.length}, ...`;
        test(title, { skip: part > 0 && skipLong }, async () => {
          const { results } = await sweep();
          for (let i = part; i < compressions.length; i += parts.length) {
            const alone = await tokensOf(request(input, compressions[i], tokens));
            assert.deepEqual(results[i]!.tokenIds, alone, JSON.stringify(compressions[i]));
          }
        });
      }

      test('and the full cache', async () => {
        assert.deepEqual((await sweep()).full!.tokenIds, await tokensOf(request(input, undefined, tokens)));
      });
    });

    test('a call that is given up in the middle frees its slot within one step', { skip: skipLong }, async () => {
      let seen = 0;
      const control = {
        checkCancelled: (): void => {
          if (seen >= 3) throw new Error('given up');
        },
      };
      const input = request(prompt(4), { action: { a: 0, b: 1 }, budget: 32 }, 100);
      inUse.length = 0;
      await assert.rejects(
        model.generate(input, () => (seen += 1), control),
        /given up/,
      );
      assert.ok(seen >= 3 && seen < 3 + (options.stepsPerRun ?? 1), `${seen} tokens`);
      assert.ok(inUse.includes(1));
      assert.equal(inUse.at(-1), 0);
    });

    test(
      'every method keeps its budget and the protected positions, and sweeps beside the others',
      { skip: skipLong },
      async () => {
        const keep = [{ start: 5, end: 9 }];
        const compressions = compressionMethodNames.map((method): CompressionRequest => {
          if (method === 'full') return { method, budget: 0 };
          return { method, budget: 40, keep, ...(method === 'sigmoid' ? { action: { a: 0.1, b: 16 } } : {}) };
        });
        const input = prompt(8);
        const { results, promptTokens } = await model.sweep(
          { prompt: input, compressions, maxNewTokens: 6, ignoreEos: true, includeFull: true },
          free,
        );
        for (const [i, compression] of compressions.entries()) {
          assert.deepEqual(results[i]!.tokenIds, await tokensOf(request(input, compression, 6)), compression.method);
          assert.equal(results[i]!.keptTokens, compression.method === 'full' ? promptTokens : 40);
          const shown = await model.inspect({ prompt: input, compression, layers: [], withScores: true }, free);
          for (const { heads } of shown.layers) {
            for (const { positions } of heads) {
              assert.equal(positions.length, results[i]!.keptTokens);
              for (let at = 5; at < 9; at++) assert.ok(positions.includes(at), `${compression.method} keeps ${at}`);
            }
          }
        }
      },
    );

    test('a stop token ends the text and is told as a stop', { skip: skipLong }, async () => {
      const input = request(prompt(3));
      const tokens = await tokensOf(input);
      const stop = tokens[4]!;
      const chunks: GenerateChunk[] = [];
      const result = await model.generate({ ...input, stopTokens: [stop] }, (chunk) => chunks.push(chunk), free);
      const until = tokens.slice(0, tokens.indexOf(stop) + 1);
      assert.deepEqual(
        chunks.flatMap((chunk) => chunk.tokenIds),
        until,
      );
      assert.equal(result.finishReason, 'stop');
    });
  });
}

for (const { name, options, skipLong: skip } of testedEngines) {
  describe(`log-probabilities, on ${name}`, { skip }, () => {
    let model: LanguageModel;
    before(async () => {
      model = await LanguageModel.load({ folder, name: 'tiny', threads: 1, ...options });
    });
    after(() => model.dispose());
    const compressions: (CompressionRequest | undefined)[] = [
      undefined,
      { action: { a: 0, b: 1 }, budget: 24 },
      { method: 'streaming-llm', budget: 24 },
    ];

    for (const compression of compressions) {
      const name = compression === undefined ? 'the full cache' : (compression.method ?? 'sigmoid');
      test(`those told while decoding equal those of one teacher-forced pass: ${name}`, async () => {
        const input = prompt(6, 'Who?');
        const chunks: GenerateChunk[] = [];
        await model.generate({ ...request(input, compression), logprobs: 3 }, (chunk) => chunks.push(chunk), free);
        const tokens = chunks.flatMap((chunk) => chunk.tokenIds);
        const told = chunks.flatMap((chunk) => chunk.logProbs ?? []);
        assert.equal(told.length, tokens.length);
        for (const [i, { logProb, top }] of told.entries()) {
          assert.equal(top[0]!.token, tokens[i], 'greedy takes the most probable');
          assert.equal(top[0]!.logProb, logProb);
          assert.ok(top[0]!.logProb >= top[1]!.logProb && top[1]!.logProb >= top[2]!.logProb);
        }
        const scored = await model.score(
          { prompt: input, continuation: { ids: tokens }, compression, maxTokens: 64 },
          free,
        );
        assert.deepEqual(scored.tokenIds, tokens);
        scored.logProbs.forEach((logProb, i) => assert.ok(Math.abs(logProb - told[i]!.logProb) < 1e-4, `token ${i}`));
      });
    }

    test('a continuation of any tokens is scored as the softmax of the logits says', async () => {
      const ids = [5, 9, 33, 100, 7, 64, 12];
      const continuation = [40, 2, 77];
      const source = { source: { ids }, truncate: false, maxPromptTokens: 0, wrap: 'none' as const };
      const { logProbs } = await model.score(
        { prompt: source, continuation: { ids: continuation }, compression: undefined, maxTokens: 8 },
        free,
      );
      const logits = await model.logits([...ids, ...continuation], [6, 7, 8]);
      continuation.forEach((token, i) => {
        const sum = logits[i]!.reduce((total, logit) => total + Math.exp(logit), 0);
        assert.ok(Math.abs(logProbs[i]! - (logits[i]![token]! - Math.log(sum))) < 1e-4);
      });
    });

    test('a sweep tells how probable the full text is under each compression', async () => {
      const input = prompt(6, 'Who?');
      const given = compressions.filter((compression) => compression !== undefined);
      const { full, results } = await model.sweep(
        { prompt: input, compressions: given, maxNewTokens: 8, ignoreEos: true, includeFull: false, scoreFull: true },
        free,
      );
      for (const [i, compression] of [...given, undefined].entries()) {
        const { logProbs } = await model.score(
          { prompt: input, continuation: { ids: full!.tokenIds }, compression, maxTokens: 8 },
          free,
        );
        const swept = (results[i] ?? full!).logProbs!;
        logProbs.forEach((logProb, t) => assert.ok(Math.abs(logProb - swept[t]!) < 1e-4));
      }
    });

    test('a continuation without tokens, with too many or with unknown ones is refused', async () => {
      const score = (ids: number[]) =>
        model.score({ prompt: prompt(2), continuation: { ids }, compression: undefined, maxTokens: 4 }, free);
      await assert.rejects(score([]), /continuation: must have 1\.\.4 tokens, has 0/);
      await assert.rejects(score([1, 2, 3, 4, 5]), /has 5/);
      await assert.rejects(score([1, 2048]), /continuation\.token_ids\.ids\[1\]/);
    });
  });
}

describe('SmolLM2-135M, when A2SF_SMOLLM2 names its folder', () => {
  const smol = process.env['A2SF_SMOLLM2'] || undefined;
  test(
    'a sweep equals single calls, token for token',
    { skip: smol === undefined && 'A2SF_SMOLLM2 is not set' },
    async () => {
      const model = await LanguageModel.load({ folder: smol!, name: 'smollm2', threads: 2 });
      const { cases } = JSON.parse(readFileSync(`${smol}/expected.json`, 'utf8')) as { cases: { ids: number[] }[] };
      const input: PromptInput = { ...prompt(0), source: { ids: cases[0]!.ids } };
      const compressions = ActionSpace.default.actions().map((action) => ({ action, budget: 128 }));
      const swept = await model.sweep(
        { prompt: input, compressions, maxNewTokens: 16, ignoreEos: true, includeFull: false },
        free,
      );
      for (const [i, compression] of compressions.entries()) {
        if (swept.results[i]!.sameAs !== undefined) continue;
        const tokens: number[] = [];
        await model.generate(request(input, compression, 16), (chunk) => tokens.push(...chunk.tokenIds), free);
        assert.deepEqual(swept.results[i]!.tokenIds, tokens, JSON.stringify(compression));
      }
      await model.dispose();
    },
  );
});
