import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { GenerateChunk, PromptInput, SweepInput } from './language-model-types.js';
import { LanguageModel } from './language-model.js';
import { LanguageModelHost } from './language-model-host.js';

const folder = fileURLToPath(new URL('../../../models/tiny-a2sf/llm', import.meta.url));
const sentence = 'Read the notes and answer with the full name. The office of Mara Copper is in the north. ';
const prompt = (text: string, more: Partial<PromptInput> = {}): PromptInput => ({
  source: { text },
  truncate: false,
  maxPromptTokens: 0,
  wrap: 'none',
  ...more,
});
const sweep: SweepInput = {
  prompt: prompt(sentence.repeat(8)),
  compressions: [
    { action: { a: 10, b: 16 }, budget: 32 },
    { action: { a: 0, b: 1 }, budget: 32 },
    { action: { a: 0, b: 8 }, budget: 32 },
  ],
  maxNewTokens: 16,
  ignoreEos: true,
  includeFull: true,
};

describe('a language model in its worker', () => {
  let host: LanguageModelHost;
  before(async () => {
    host = await LanguageModelHost.start({ folder, name: 'tiny', threads: 1 }, { maxQueue: 3 });
  });
  after(() => host.dispose());

  test('the main thread turns its loop while the model computes', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await host.sweep(sweep);
    clearInterval(timer);
    assert.ok(turns > 0);
  });

  test('actions with the same window share one decode and say so', async () => {
    const { results } = await host.sweep(sweep);
    assert.deepEqual(
      results.map((result) => result.sameAs),
      [undefined, undefined, 1],
    );
    assert.equal(results[2]!.text, results[1]!.text);
  });

  test('a sweep over more selections than slots, or than their bytes allow, gives the same texts', async () => {
    const small = await LanguageModelHost.start({ folder, name: 'tiny', threads: 1, slots: 1 });
    const texts = async (model: LanguageModelHost) => (await model.sweep(sweep)).results.map((result) => result.text);
    const tight = await LanguageModelHost.start({ folder, name: 'tiny', threads: 1, slotBytes: 600_000 });
    assert.deepEqual(await texts(small), await texts(host));
    assert.deepEqual(await texts(tight), await texts(host));
    await small.dispose();
    await tight.dispose();
  });

  test('generate streams the text that a sweep writes for the same action', async () => {
    const chunks: GenerateChunk[] = [];
    const compression = sweep.compressions[0]!;
    const input = { prompt: sweep.prompt, compression, maxNewTokens: 16, ignoreEos: true, stop: [] };
    const usage = await host.generate(input, (chunk) => chunks.push(chunk));
    const { results } = await host.sweep(sweep);
    assert.deepEqual(
      chunks.flatMap((chunk) => chunk.tokenIds),
      results[0]!.tokenIds,
    );
    assert.equal(chunks.map((chunk) => chunk.text).join(''), results[0]!.text);
    assert.equal(usage.keptTokens, 32);
    assert.equal(usage.cacheBytes, 2 * 4 * 2 * 32 * 32 * 4);
  });

  test('an aborted call rejects with the reason of its signal, and the next call is served', async () => {
    const controller = new AbortController();
    const running = host.sweep({ ...sweep, maxNewTokens: 500 }, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(running, /enough/);
    assert.equal((await host.sweep(sweep)).results.length, 3);
    assert.equal(host.queueDepth, 0);
  });

  test('one call more than the queue holds is refused at once', async () => {
    const calls = [1, 2, 3].map(() => host.sweep(sweep));
    await assert.rejects(host.sweep(sweep), { code: 'RESOURCE_EXHAUSTED', reason: 'queue-full' });
    await Promise.all(calls);
  });

  test('an eighth of the queue is kept for others than the client that fills it', async () => {
    const wide = await LanguageModelHost.start({ folder, name: 'tiny', threads: 1 }, { maxQueue: 8 });
    const by = (client: string) => wide.sweep(sweep, undefined, client);
    const calls = Array.from({ length: 7 }, () => by('a'));
    const message =
      'the queue is full: 7 calls of this client are waiting or running, the limit of one; try again later';
    await assert.rejects(by('a'), { code: 'RESOURCE_EXHAUSTED', reason: 'queue-full', message });
    calls.push(by('b'));
    await assert.rejects(by('c'), /the queue is full: 8 calls are waiting or running/);
    await Promise.all(calls);
    await by('a');
    await wide.dispose();
  });

  test('a text whose slot alone is over the limit of their bytes is refused', async () => {
    const tight = await LanguageModelHost.start({ folder, name: 'tiny', threads: 1, slotBytes: 200_000 });
    await assert.rejects(tight.sweep(sweep), {
      code: 'RESOURCE_EXHAUSTED',
      reason: 'over-slot-bytes',
      message: /the limit is 200000 \(--slot_bytes\)$/,
    });
    assert.equal((await tight.sweep({ ...sweep, includeFull: false })).results.length, 3);
    await tight.dispose();
  });

  test('a prompt within the budget keeps everything, and every text is the full one', async () => {
    const large = sweep.compressions.map((compression) => ({ ...compression, budget: 1000 }));
    const output = await host.sweep({ ...sweep, compressions: large });
    for (const result of output.results) assert.equal(result.keptTokens, output.promptTokens);
    for (const result of output.results) assert.equal(result.text, output.full!.text);
    assert.deepEqual(
      output.results.map((result) => result.sameAs),
      [undefined, 0, 0],
    );
  });

  test('a prompt over the limit is refused, or cut to its halves when asked', async () => {
    const long = prompt(sentence.repeat(20), { maxPromptTokens: 100 });
    await assert.rejects(host.sweep({ ...sweep, prompt: long }), {
      code: 'RESOURCE_EXHAUSTED',
      reason: 'prompt-too-long',
    });
    const cut = await host.sweep({ ...sweep, prompt: { ...long, truncate: true } });
    assert.equal(cut.truncated, true);
    assert.ok(Math.abs(cut.promptTokens - 100) < 5);
  });

  test('prompt and new tokens together must fit the context', async () => {
    const ids = Array.from({ length: 1500 }, () => 7);
    const input = { ...sweep, prompt: { ...prompt(''), source: { ids } }, maxNewTokens: 600 };
    await assert.rejects(host.sweep(input), /1500 tokens and 600 new ones exceed the context of 2048/);
  });

  test('bad prompts are refused by field', async () => {
    const withIds = (ids: number[]): SweepInput => ({ ...sweep, prompt: { ...prompt(''), source: { ids } } });
    await assert.rejects(host.sweep(withIds([])), /prompt\.token_ids\.ids: must not be empty/);
    await assert.rejects(
      host.sweep(withIds([1, 2048])),
      /prompt\.token_ids\.ids\[1\]: must be below the vocabulary size 2048/,
    );
    await assert.rejects(host.sweep({ ...sweep, prompt: prompt(' \n') }), /prompt: must not be blank/);
    await assert.rejects(host.sweep({ ...sweep, prompt: prompt('x', { maxPromptTokens: 5000 }) }), /max_prompt_tokens/);
  });
});

test('a disposed host refuses calls and those in flight', async () => {
  const host = await LanguageModelHost.start({ folder, name: 'tiny', threads: 1 });
  const running = host.sweep(sweep);
  await Promise.all([assert.rejects(running, { code: 'UNAVAILABLE' }), host.dispose()]);
  await host.dispose();
  await assert.rejects(host.sweep(sweep), { code: 'UNAVAILABLE' });
});

test('a host that is disposed at any moment of a computation ends without taking the process with it', async () => {
  for (const delay of [0, 2, 5, 10, 20, 40]) {
    const host = await LanguageModelHost.start({ folder, name: 'tiny', threads: 1 });
    const running = assert.rejects(host.sweep({ ...sweep, maxNewTokens: 400 }), { code: 'UNAVAILABLE' });
    await sleep(delay);
    await host.dispose();
    await running;
  }
});

test('models that come and go leave no thread and no open file behind', async () => {
  const count = (what: 'task' | 'fd'): number => readdirSync(`/proc/self/${what}`).length;
  const once = async (): Promise<void> => {
    const host = await LanguageModelHost.start({ folder, name: 'tiny', threads: 2 });
    await host.sweep(sweep);
    await host.dispose();
  };
  await once(); // the first one loads libraries that stay
  const before = { task: count('task'), fd: count('fd') };
  for (let i = 0; i < 8; i++) await once();
  // Threads of a worker that has just ended may take a moment to go.
  for (let i = 0; i < 100 && count('task') > before.task + 1; i++) await sleep(50);
  assert.ok(count('task') <= before.task + 1, `${count('task')} threads, ${before.task} before`);
  assert.ok(count('fd') <= before.fd + 1, `${count('fd')} open files, ${before.fd} before`);
});

test('a model disposed twice is disposed once', async () => {
  const model = await LanguageModel.load({ folder, name: 'tiny', threads: 1 });
  await model.dispose();
  await model.dispose();
});

test('a model that cannot be loaded fails the start with its reason', async () => {
  await assert.rejects(LanguageModelHost.start({ folder: '/nowhere', name: 'x', threads: 1 }), { code: 'NOT_FOUND' });
});
