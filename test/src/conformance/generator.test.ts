import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { GeneratorServiceClient, type GenerateResponseOutput } from '@a2sf/contracts';
import { callServerStream, callUnary, connect } from '@a2sf/grpc-runtime';
import { fixtures, startService, type RunningService } from '../processes.js';
import { fixtureArrays, largestDifference } from './arrays.js';

interface Expected {
  prompts: { key: string; n: number; ids: number[]; greedy: number[] }[];
  a2sf: {
    actions: [number, number][];
    budgets: number[];
    runs: { prompt: string; action: number; budget: number; recent: number; compressed: boolean; greedy: number[] }[];
  };
}

const model = 'lm-llama3';

describe('the generator through gRPC equals torch', () => {
  const expected = JSON.parse(readFileSync(join(fixtures, model, 'expected.json'), 'utf8')) as Expected;
  const arrays = fixtureArrays(model, 'expected.safetensors');
  const prompt = expected.prompts.find(({ key }) => key === 'main2')!;
  const runs = expected.a2sf.runs.filter((run) => run.prompt === prompt.key && run.compressed);
  const actionOf = (run: { action: number }) => {
    const [a, b] = expected.a2sf.actions[run.action]!;
    return { a, b };
  };
  const tokenIds = { tokenIds: { ids: prompt.ids } };
  let service: RunningService;
  let client: InstanceType<typeof GeneratorServiceClient>;
  before(async () => {
    service = await startService('generator', '--model_name', join(fixtures, model), '--threads', '1');
    client = connect(GeneratorServiceClient, service.address);
  });
  after(async () => {
    client.close();
    await service.stop();
  });

  test('Generate streams the tokens of the full cache', async () => {
    const { tokens, last } = await collect({ prompt: tokenIds, maxNewTokens: 16, ignoreEos: true });
    assert.deepEqual(tokens, prompt.greedy);
    assert.equal(last.finishReason, 'FINISH_REASON_LENGTH');
    assert.equal(last.usage?.keptTokens, prompt.n);
  });

  test('Generate streams the tokens of a compressed cache, and tells what it kept', async () => {
    const run = runs[0]!;
    const compression = { action: actionOf(run), budget: run.budget, recent: run.recent };
    const { tokens, last } = await collect({ prompt: tokenIds, compression, maxNewTokens: 16, ignoreEos: true });
    assert.deepEqual(tokens, run.greedy);
    assert.equal(last.usage?.keptTokens, run.budget);
    assert.equal(Number(last.usage?.fullCacheBytes) / Number(last.usage?.cacheBytes), prompt.n / run.budget);
  });

  test('Sweep writes the tokens of every action, and the full ones', async () => {
    for (const budget of expected.a2sf.budgets) {
      const these = runs.filter((run) => run.budget === budget);
      const response = await callUnary(client, 'sweep', {
        prompt: tokenIds,
        actions: these.map(actionOf),
        budget,
        recent: these[0]!.recent,
        maxNewTokens: 16,
        ignoreEos: true,
        includeFull: true,
      });
      assert.deepEqual(
        response.results.map((result) => result.tokenIds),
        these.map((run) => run.greedy),
      );
      assert.deepEqual(response.full?.tokenIds, prompt.greedy);
    }
  });

  test('Inspect shows the kept positions and their scores', async () => {
    for (const run of runs) {
      const compression = { action: actionOf(run), budget: run.budget, recent: run.recent };
      const response = await callUnary(client, 'inspect', { prompt: tokenIds, compression, withScores: true });
      const heads = response.layers.flatMap((layer) => layer.heads);
      const kept = arrays.int32(`${prompt.key}.a${run.action}.b${run.budget}.keep`);
      assert.deepEqual(
        heads.flatMap((head) => head.positions),
        [...kept],
      );
      const scores = arrays.float32(`${prompt.key}.a${run.action}.scores`);
      heads.forEach((head, row) => {
        const all = scores.subarray(row * prompt.n, (row + 1) * prompt.n);
        const want = head.positions.map((position) => all[position]!);
        assert.ok(largestDifference(head.scores, want) <= 5e-5 * Math.max(...all));
      });
    }
  });

  test('drawn tokens follow the seed, and a top_k of 1 is greedy', async () => {
    const draw = async (sampling: object): Promise<number[]> =>
      (await collect({ prompt: tokenIds, maxNewTokens: 16, ignoreEos: true, sampling })).tokens;
    assert.deepEqual(await draw({ temperature: 2, topK: 1 }), prompt.greedy);
    const first = await draw({ temperature: 1.5, seed: 1 });
    assert.deepEqual(await draw({ temperature: 1.5, seed: 1 }), first);
    assert.notDeepEqual(await draw({ temperature: 1.5, seed: 2 }), first);
  });

  test('ScoreContinuation and Sweep give the log-probabilities that Generate tells', async () => {
    const compression = { method: 'h2o', budget: 32 };
    const request = { prompt: tokenIds, compression, maxNewTokens: 6, ignoreEos: true, logprobs: 2 };
    const pieces: GenerateResponseOutput[] = [];
    for await (const piece of callServerStream(client, 'generate', request)) pieces.push(piece);
    const told = pieces.flatMap((piece) => piece.logProbs);
    const ids = pieces.flatMap((piece) => piece.tokenIds);
    assert.equal(told.length, 6);
    assert.ok(pieces.slice(0, 6).every((piece) => piece.topTokens[0]!.tokenIds.length === 2));
    const continuation = { tokenIds: { ids } };
    const scored = await callUnary(client, 'scoreContinuation', { prompt: tokenIds, compression, continuation });
    assert.deepEqual(scored.tokenIds, ids);
    assert.equal(scored.keptTokens, 32);
    scored.logProbs.forEach((value, i) => assert.ok(Math.abs(value - told[i]!) < 1e-4));
    const swept = await callUnary(client, 'sweep', {
      prompt: tokenIds,
      compressions: [compression, { method: 'full' }],
      maxNewTokens: 6,
      ignoreEos: true,
      scoreFull: true,
    });
    assert.deepEqual(swept.results[0]!.tokenIds, ids);
    assert.deepEqual(swept.results[1]!.tokenIds, swept.full!.tokenIds);
    assert.equal(swept.results[0]!.logProbs.length, 6);
    assert.deepEqual(swept.results[1]!.logProbs, swept.full!.logProbs);
  });

  test('GetInfo tells the model', async () => {
    const info = await callUnary(client, 'getInfo', {});
    assert.deepEqual([info.model, info.family, info.layers, info.kvHeads, info.vocab], [model, 'llama', 3, 2, 320]);
    assert.equal(info.hasTokenizer, false);
  });

  test('bad requests are refused by field', async () => {
    const compression = { action: { a: 10, b: 16 }, budget: 32 };
    const refused = async (request: object, code: string, message: RegExp): Promise<void> => {
      await assert.rejects(collect({ maxNewTokens: 4, ...request }), (error: { code: string; message: string }) => {
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      });
    };
    await refused({}, 'INVALID_ARGUMENT', /^prompt: needs text or token_ids/);
    await refused(
      { prompt: { tokenIds: { ids: [] } } },
      'INVALID_ARGUMENT',
      /^prompt\.token_ids\.ids: must not be empty/,
    );
    await refused(
      { prompt: { tokenIds: { ids: [320] } } },
      'INVALID_ARGUMENT',
      /ids\[0\]: must be below the vocabulary size 320/,
    );
    await refused({ prompt: { text: ' ' } }, 'INVALID_ARGUMENT', /^prompt\.text: must not be blank/);
    await refused({ prompt: { text: 'x' } }, 'FAILED_PRECONDITION', /no tokenizer/);
    await refused(
      { prompt: tokenIds, maxNewTokens: 100_000 },
      'INVALID_ARGUMENT',
      /^max_new_tokens: must be at most 512/,
    );
    await refused(
      { prompt: tokenIds, compression: { ...compression, budget: 0 } },
      'INVALID_ARGUMENT',
      /^compression\.budget/,
    );
    await refused(
      { prompt: tokenIds, compression: { ...compression, recent: 33 } },
      'INVALID_ARGUMENT',
      /^compression\.recent/,
    );
    await refused(
      { prompt: tokenIds, compression: { budget: 32 } },
      'INVALID_ARGUMENT',
      /^compression\.action: is required/,
    );
    for (const a of [Number.NaN, Infinity, -1]) {
      const bad = { ...compression, action: { a, b: 16 } };
      await refused({ prompt: tokenIds, compression: bad }, 'INVALID_ARGUMENT', /^compression\.action\.a/);
    }
    const zero = { ...compression, action: { a: 1, b: 0 } };
    await refused({ prompt: tokenIds, compression: zero }, 'INVALID_ARGUMENT', /^compression\.action\.b/);
    await refused(
      { prompt: tokenIds, maxPromptTokens: 100 },
      'RESOURCE_EXHAUSTED',
      /longer than the limit of 100 tokens/,
    );
    await refused({ prompt: tokenIds, stop: [''] }, 'INVALID_ARGUMENT', /^stop\[0\]/);
    const tooMany = { prompt: tokenIds, budget: 32, actions: Array.from({ length: 257 }, () => ({ a: 0, b: 1 })) };
    await assert.rejects(callUnary(client, 'sweep', tooMany), /actions: at most 256/);
    await assert.rejects(callUnary(client, 'inspect', { prompt: tokenIds }), /compression: is required/);
    await assert.rejects(
      callUnary(client, 'inspect', { prompt: tokenIds, compression, layers: [3] }),
      /layers\[0\]: must be in 0\.\.2/,
    );
  });

  test('extreme but legal actions give finite scores and a full budget', async () => {
    for (const action of [
      { a: 1e9, b: 1 },
      { a: 1e9, b: 4_000_000_000 },
      { a: 1e-300, b: 1 },
    ]) {
      const compression = { action, budget: 32 };
      const response = await callUnary(client, 'inspect', { prompt: tokenIds, compression, withScores: true });
      for (const head of response.layers.flatMap((layer) => layer.heads)) {
        assert.equal(head.positions.length, 32);
        assert.ok(head.scores.every(Number.isFinite));
      }
    }
  });

  async function collect(request: object): Promise<{ tokens: number[]; last: GenerateResponseOutput }> {
    const responses: GenerateResponseOutput[] = [];
    for await (const response of callServerStream(client, 'generate', request)) responses.push(response);
    return { tokens: responses.flatMap((response) => response.tokenIds), last: responses.at(-1)! };
  }
});
