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

  test('Inspect tells the statistics of the scores that torch has, whatever is kept', async () => {
    const { layers, kvHeads } = await callUnary(client, 'getInfo', {});
    const { n } = prompt;
    for (const [i, [a, b]] of expected.a2sf.actions.entries()) {
      const scores = arrays.float32(`${prompt.key}.a${i}.scores`);
      const ofHead = Array.from({ length: layers * kvHeads }, (_, row) => {
        const head = [...scores.subarray(row * n, (row + 1) * n)];
        const total = head.reduce((x, y) => x + y, 0);
        const p = head.map((score) => score / total);
        const entropy = p.reduce((sum, x) => sum - (x === 0 ? 0 : x * Math.log(x)), 0) / Math.log(n);
        return { entropy, sinkMass: p[0]! + p[1]! + p[2]! + p[3]! };
      });
      const meanOf = (layer: number, name: 'entropy' | 'sinkMass'): number =>
        ofHead.slice(layer * kvHeads, (layer + 1) * kvHeads).reduce((sum, head) => sum + head[name], 0) / kvHeads;
      for (const budget of [32, n]) {
        const compression = { action: { a, b }, budget };
        const request = { prompt: tokenIds, compression, withStatistics: true, layers: [2, 0] };
        const response = await callUnary(client, 'inspect', request);
        assert.deepEqual(
          response.layers.map(({ layer }) => layer),
          [0, 2],
        );
        for (const { layer, statistics } of response.layers) {
          assert.ok(Math.abs(statistics!.entropy - meanOf(layer, 'entropy')) < 1e-5);
          assert.ok(Math.abs(statistics!.sinkMass - meanOf(layer, 'sinkMass')) < 1e-5);
        }
      }
    }
  });

  test('Inspect tells how much the selections of other actions and methods share with the one it shows', async () => {
    const budget = expected.a2sf.budgets.find((budget) => runs.filter((run) => run.budget === budget).length > 1)!;
    const [first, ...others] = runs.filter((run) => run.budget === budget);
    const keepOf = (run: { action: number }) => arrays.int32(`${prompt.key}.a${run.action}.b${budget}.keep`);
    const compression = { action: actionOf(first!), budget, recent: first!.recent };
    const compare = {
      actions: [...others.map(actionOf), { ...actionOf(first!), budget: prompt.n }],
      compressions: [{ method: 'streaming-llm', budget: 20 }, compression],
    };
    const request = { prompt: tokenIds, compression, withScores: true, withStatistics: true };
    const { overlaps, layers } = await callUnary(client, 'inspect', { ...request, compare });
    // Scored beside other windows: the same selection, scores and statistics up to the order of the sums.
    for (const [layer, alone] of (await callUnary(client, 'inspect', request)).layers.entries()) {
      const { heads, statistics } = layers[layer]!;
      for (const [h, { positions, scores }] of alone.heads.entries()) {
        assert.deepEqual(heads[h]!.positions, positions);
        assert.ok(largestDifference(heads[h]!.scores, scores) <= 5e-6 * Math.max(...scores));
      }
      assert.ok(Math.abs(statistics!.entropy - alone.statistics!.entropy) < 1e-6);
      assert.ok(Math.abs(statistics!.sinkMass - alone.statistics!.sinkMass) < 1e-6);
    }

    const x = keepOf(first!);
    const wanted = others.map((other) => {
      const y = keepOf(other);
      const indices = Array.from({ length: x.length / budget }, (_, row) => {
        const [p, q] = [x, y].map((keep) => new Set(keep.subarray(row * budget, (row + 1) * budget)));
        return [...p!].filter((position) => q!.has(position)).length / new Set([...p!, ...q!]).size;
      });
      return indices.reduce((sum, index) => sum + index, 0) / indices.length;
    });
    const told = overlaps.map(({ jaccard }) => jaccard);
    assert.ok(wanted.some((jaccard) => jaccard < 0.99));
    wanted.forEach((jaccard, i) => assert.ok(Math.abs(told[i]! - jaccard) < 1e-12));
    assert.ok(Math.abs(told[others.length]! - budget / prompt.n) < 1e-12);
    assert.ok(told[others.length + 1]! < 1);
    assert.equal(told[others.length + 2], 1);
    assert.deepEqual(
      overlaps.map(({ keptTokens }) => keptTokens),
      [...others.map(() => budget), prompt.n, 20, budget],
    );
    assert.deepEqual(
      overlaps.map(({ action }) => action && { a: action.a, b: action.b }),
      [...others, first!].map(actionOf).concat([null!, actionOf(first!)]),
    );
  });

  test('an empty comparison is with the sixty actions, and a selection by no scores can be compared, not measured', async () => {
    const compression = { method: 'streaming-llm', budget: 32 };
    const request = { prompt: tokenIds, compression, compare: {}, withScores: true };
    const { overlaps, layers } = await callUnary(client, 'inspect', request);
    assert.deepEqual(
      overlaps.map(({ actionIndex }) => actionIndex),
      Array.from({ length: 60 }, (_, index) => index),
    );
    assert.ok(overlaps.every(({ jaccard, keptTokens }) => jaccard > 0 && jaccard < 1 && keptTokens === 32));
    const alone = await callUnary(client, 'inspect', { prompt: tokenIds, compression, withScores: true });
    assert.deepEqual([alone.layers, alone.overlaps], [layers, []]);
    assert.equal(layers[0]!.statistics, null);
    await assert.rejects(
      callUnary(client, 'inspect', { ...request, withStatistics: true }),
      /with_statistics: the method streaming-llm ranks without attention and has no scores/,
    );
    const compare = { compressions: [{ method: 'h2o', budget: 8, keep: [{ start: 0, end: 9 }] }] };
    await assert.rejects(
      callUnary(client, 'inspect', { ...request, compare }),
      /compare\.compressions\[0\]\.keep: must fit into the budget of 8/,
    );
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
