import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSafetensors, readTensor, toFloat32 } from '@a2sf/tensor-files';
import type { Action } from '@a2sf/kv-compression';
import type { PromptInput } from './language-model-types.js';
import { LanguageModel } from './language-model.js';
import { testedEngines } from './tested-devices.fixture.js';

const fixtures = fileURLToPath(new URL('../../../test/fixtures/', import.meta.url));

interface Expected {
  prompts: { key: string; n: number; ids: number[]; positions: number[]; greedy: number[] }[];
  a2sf: {
    actions: [number, number][];
    budgets: number[];
    runs: { prompt: string; action: number; budget: number; recent: number; compressed: boolean; greedy: number[] }[];
  };
}

const control = { checkCancelled: () => {} };
const whole = (ids: readonly number[]): PromptInput => ({
  source: { ids },
  truncate: false,
  maxPromptTokens: 0,
  wrap: 'none',
});

function largestDifference(actual: Float32Array, expected: Float32Array): number {
  assert.equal(actual.length, expected.length);
  return actual.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!)), 0);
}

/** Folder of the model, folder of the expected numbers. */
const cases: [string, string][] = [
  ['lm-llama', 'lm-llama'],
  ['lm-llama2', 'lm-llama2'],
  ['lm-llama3', 'lm-llama3'],
  ['lm-llama2-bf16', 'lm-llama2-bf16'],
  ['lm-llama2-fp16', 'lm-llama2-fp16'],
  ['lm-llama-sharded', 'lm-llama'],
  ['lm-qwen2', 'lm-qwen2'],
  ['lm-opt', 'lm-opt'],
  ['lm-llama-bin', 'lm-llama'],
  ['lm-opt-bin', 'lm-opt'],
];

const casesOnEngines = testedEngines.flatMap((on) => cases.map((it) => [...it, on] as const));
for (const [folder, source, { name, options, skip, skipLong }] of casesOnEngines) {
  describe(`${folder} equals torch, on ${name}`, { skip: folder === cases[0]![0] ? skip : skipLong }, () => {
    const expected = JSON.parse(readFileSync(join(fixtures, source, 'expected.json'), 'utf8')) as Expected;
    const arrays = openSafetensors(join(fixtures, source, 'expected.safetensors'));
    const array = (name: string): Float32Array => toFloat32(readTensor(arrays, name), 'F32');
    const keptOf = (name: string): Int32Array => new Int32Array(readTensor(arrays, name).buffer);
    const actions: Action[] = expected.a2sf.actions.map(([a, b]) => ({ a, b }));
    let model: LanguageModel;
    before(async () => {
      model = await LanguageModel.load({ folder: join(fixtures, folder), name: folder, threads: 1, ...options });
    });
    after(() => model.dispose());

    for (const { key, n, ids, positions, greedy } of expected.prompts) {
      test(`logits of ${key} (${n} tokens) differ by at most 3e-4`, async () => {
        const logits = await model.logits(ids, [...positions, n - 1]);
        const at = array(`${key}.logits_at`);
        const vocab = model.info.vocab;
        positions.forEach((_, i) => {
          assert.ok(largestDifference(logits[i]!, at.slice(i * vocab, (i + 1) * vocab)) <= 3e-4);
        });
        assert.ok(largestDifference(logits.at(-1)!, array(`${key}.logits_last`)) <= 3e-4);
      });

      test(`the full cache of ${key} writes the same tokens`, async () => {
        const tokens: number[] = [];
        const input = {
          prompt: whole(ids),
          compression: undefined,
          maxNewTokens: greedy.length,
          ignoreEos: true,
          stop: [],
        };
        const result = await model.generate(input, (chunk) => tokens.push(...chunk.tokenIds), control);
        assert.deepEqual(tokens, greedy);
        assert.equal(result.keptTokens, n);
      });

      if (expected.a2sf.runs.length === 0) continue;
      // A prompt of one token has no scores in the fixture.
      const scored = arrays.tensors.has(`${key}.a0.scores`);
      test(`windowed scores of ${key} differ by at most 5e-5 of the row's largest`, { skip: !scored }, async () => {
        const { layers, kvHeads } = model.info;
        const scores = await model.scores(ids, actions);
        actions.forEach((_, a) => {
          const want = array(`${key}.a${a}.scores`);
          for (let layer = 0; layer < layers; layer++) {
            for (let head = 0; head < kvHeads; head++) {
              const from = (head * actions.length + a) * n;
              const row = want.subarray((layer * kvHeads + head) * n, (layer * kvHeads + head + 1) * n);
              const difference = largestDifference(scores[layer]!.subarray(from, from + n), row);
              assert.ok(
                difference <= 5e-5 * Math.max(...row),
                `layer ${layer} head ${head} action ${a}: ${difference}`,
              );
            }
          }
        });
      });

      for (const budget of expected.a2sf.budgets) {
        const runs = expected.a2sf.runs.filter((run) => run.prompt === key && run.budget === budget);
        test(`a sweep of ${key} at budget ${budget} writes the same tokens for all ${runs.length} actions`, async () => {
          const output = await model.sweep(
            {
              prompt: whole(ids),
              compressions: runs.map((run) => ({ action: actions[run.action]!, budget, recent: run.recent })),
              maxNewTokens: 16,
              ignoreEos: true,
              includeFull: true,
            },
            control,
          );
          assert.deepEqual(
            output.results.map((result) => result.tokenIds),
            runs.map((run) => run.greedy),
          );
          assert.deepEqual(output.full?.tokenIds, greedy);
          assert.equal(output.results[0]!.keptTokens, Math.min(n, budget));
        });

        test(`${key} at budget ${budget} keeps the same positions`, async () => {
          for (const run of runs) {
            const name = `${key}.a${run.action}.b${budget}.keep`;
            if (!arrays.tensors.has(name)) {
              assert.equal(run.compressed, false);
              continue;
            }
            const compression = { action: actions[run.action]!, budget, recent: run.recent };
            const shown = await model.inspect(
              { prompt: whole(ids), compression, layers: [], withScores: false },
              control,
            );
            const kept = shown.layers.flatMap(({ heads }) => heads.flatMap((head) => [...head.positions]));
            assert.deepEqual(kept, [...keptOf(name)], name);
          }
        });
      }
    }
  });
}

describe('SmolLM2-135M, when A2SF_SMOLLM2 names its folder', () => {
  const folder = process.env['A2SF_SMOLLM2'];
  const skip = folder === undefined || !existsSync(folder) ? 'A2SF_SMOLLM2 is not set' : false;
  test('keeps the same positions and writes the same tokens as torch on real prompts', { skip }, async () => {
    const model = await LanguageModel.load({ folder: folder!, name: 'smollm2', threads: 2 });
    const expected = JSON.parse(readFileSync(join(folder!, 'expected.json'), 'utf8')) as SmolExpected;
    for (const { text, ids, full, actions } of expected.cases) {
      const prompt: PromptInput = { source: { text }, truncate: false, maxPromptTokens: 0, wrap: 'none' };
      const output = await model.sweep(
        {
          prompt,
          compressions: actions.map(({ a, b }) => ({
            action: { a, b },
            budget: expected.budget,
            recent: expected.recent,
          })),
          maxNewTokens: full.tokens.length,
          ignoreEos: true,
          includeFull: true,
        },
        control,
      );
      assert.equal(output.promptTokens, ids.length);
      assert.deepEqual(output.full, { text: full.text, tokenIds: full.tokens });
      for (const [i, action] of actions.entries()) {
        assert.deepEqual(output.results[i]!.tokenIds, action.generated.tokens);
        const compression = { action: { a: action.a, b: action.b }, budget: expected.budget, recent: expected.recent };
        const shown = await model.inspect(
          { prompt, compression, layers: expected.layers_stored, withScores: false },
          control,
        );
        for (const { layer, heads } of shown.layers) {
          const stored = action.keep[String(layer)]!;
          heads.forEach((head, h) => assert.deepEqual([...head.positions], stored[h]));
        }
      }
    }
    await model.dispose();
  });
});

interface SmolExpected {
  budget: number;
  recent: number;
  layers_stored: number[];
  cases: {
    text: string;
    ids: number[];
    full: { tokens: number[]; text: string };
    actions: { a: number; b: number; generated: { tokens: number[] }; keep: Record<string, number[][]> }[];
  }[];
}
