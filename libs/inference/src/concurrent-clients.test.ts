import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LanguageModel } from './language-model.js';
import type { GenerateInput, SweepInput } from './language-model-types.js';

const folder = fileURLToPath(new URL('../../../models/tiny-a2sf/llm', import.meta.url));
const free = { checkCancelled: (): void => {} };
const input = (tokens: number, maxNewTokens: number, budget?: number): GenerateInput => ({
  prompt: {
    source: { ids: Array.from({ length: tokens }, (_, i) => 5 + (i % 90)) },
    truncate: false,
    maxPromptTokens: 0,
    wrap: 'none',
  },
  compression: budget === undefined ? undefined : { action: { a: 10, b: 16 }, budget },
  maxNewTokens,
  ignoreEos: true,
  stop: [],
});
/** Bytes of one key of the model. */
const keyBytes = 2 * 4 * 2 * 32 * 4;

describe('clients of one model', () => {
  let model: LanguageModel;
  before(async () => {
    model = await LanguageModel.load({ folder, name: 'tiny', threads: 1, slots: 4 });
  });
  after(() => model.dispose());

  test('one that floods the model delays another’s request by one prompt beside the one that is being read', async () => {
    const order: string[] = [];
    const call = (name: string, client: string) =>
      model.generate(input(300, 2, 32), ({ tokenIds }) => tokenIds.length > 0 && order.push(name), { ...free, client });
    const flood = Array.from({ length: 20 }, (_, i) => call(`a${i}`, 'a'));
    await call('b', 'b');
    assert.ok(new Set(order).size <= 3, `served before it: ${order.join()}`);
    await Promise.all(flood);
  });

  test('a prompt that is given up while it is read reads no chunk more, and the next is served', async () => {
    let checks = 0;
    const control = {
      checkCancelled: (): void => {
        if (++checks === 4) throw new Error('given up');
      },
    };
    let tokens = 0;
    await assert.rejects(
      model.generate(input(1500, 4, 32), () => tokens++, control),
      /given up/,
    );
    assert.deepEqual([checks, tokens], [4, 0]);
    await model.generate(input(20, 2), () => {}, free);
  });
});

test('a prompt is not read before its text has a slot, while shorter ones go ahead', async () => {
  const limits = { slots: 8, slotBytes: 640 * keyBytes };
  const slots: number[] = [];
  const model = await LanguageModel.load({ folder, name: 'tiny', threads: 1, ...limits }, (used) => slots.push(used));
  const order: string[] = [];
  const call = (name: string, request: GenerateInput) =>
    model.generate(request, () => order.at(-1) !== name && order.push(name), free).then(() => order.push(`${name}.`));
  const long = call('long', input(20, 400));
  while (order.length === 0) await new Promise(setImmediate);
  const large = call('large', input(600, 4));
  await call('small', input(30, 4));
  assert.ok(!order.includes('large') && !order.includes('long.'), order.join());
  await Promise.all([long, large]);
  assert.ok(order.indexOf('long.') < order.indexOf('large'), order.join());
  assert.equal(slots.at(-1), 0);
  await assert.rejects(
    model.generate(input(700, 4), () => {}, free),
    { reason: 'over-slot-bytes' },
  );
  await model.dispose();
});

test('a sweep does not keep the next prompt waiting for its texts', async () => {
  const model = await LanguageModel.load({ folder, name: 'tiny', threads: 1 });
  const compressions = [16, 24, 40].map((budget) => ({ action: { a: 10, b: 16 }, budget }));
  const { prompt } = input(60, 1);
  const sweep: SweepInput = { prompt, compressions, maxNewTokens: 300, ignoreEos: true, includeFull: true };
  let swept = false;
  const sweeping = model.sweep(sweep, free).then((output) => ((swept = true), output));
  await model.generate(input(30, 4), () => {}, free);
  assert.equal(swept, false);
  assert.equal((await sweeping).full!.tokenIds.length, 300);
  await model.dispose();
});
