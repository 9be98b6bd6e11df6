import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Embedding, Peers } from './peers.js';
import { PromptMemory } from './prompt-memory.js';
import type { Prompt } from './prompt.js';

const prompt = (text: string, hash = text): Prompt => ({ text, hash }) as Prompt;

/** An encoder that counts its calls and embeds a text as its length. */
function encoder(): { peers: Peers; calls: number[][] } {
  const calls: number[][] = [];
  const encode = async (texts: readonly string[]): Promise<Embedding[]> => {
    calls.push(texts.map((text) => text.length));
    return texts.map((text) => ({ values: [text.length] }) as Embedding);
  };
  return { peers: { encode } as unknown as Peers, calls };
}

test('a prompt is embedded once, however often it is asked for', async () => {
  const memory = new PromptMemory([prompt('a'), prompt('bb')]);
  const { peers, calls } = encoder();
  const first = await memory.embeddings([1, 0, 1], peers);
  assert.deepEqual(
    first.map((embedding) => embedding.values),
    [[2], [1], [2]],
  );
  await memory.embeddings([0, 1], peers);
  assert.deepEqual(calls, [[2, 1]]);
});

test('a call holds at most 32 prompts and 4 MiB of text, a longer text goes alone', async () => {
  const small = Array.from({ length: 40 }, (_, i) => prompt('x', `${i}`));
  const large = [prompt('y'.repeat(3 << 20)), prompt('z'.repeat(2 << 20)), prompt('w'.repeat(5 << 20))];
  const memory = new PromptMemory([...small, ...large]);
  const { peers, calls } = encoder();
  await memory.embeddings([...Array(43).keys()], peers);
  assert.deepEqual(
    calls.map((call) => call.length),
    [32, 9, 1, 1],
  );
});

test('prompts of one text are embedded once', async () => {
  const memory = new PromptMemory([prompt('a'), prompt('bb'), prompt('a')]);
  const { peers, calls } = encoder();
  assert.equal((await memory.embeddings([0, 1, 2], peers)).length, 3);
  await memory.embeddings([2], peers);
  assert.deepEqual(calls, [[1, 2]]);
});

test('what a store has is not asked of the encoder, and what the encoder gives is in the store before it is given out', async () => {
  const stored = new Map<string, Embedding>([['bb', { values: [-1] } as unknown as Embedding]]);
  const added: string[][] = [];
  const store = {
    get: (hash: string) => Promise.resolve(stored.get(hash)),
    add: (entries: readonly { readonly hash: string; readonly embedding: Embedding }[]) => {
      added.push(entries.map(({ hash }) => hash));
      for (const { hash, embedding } of entries) stored.set(hash, embedding);
      return Promise.resolve();
    },
  };
  const prompts = [prompt('a'), prompt('bb'), prompt('ccc')];
  const { peers, calls } = encoder();
  const values = async (memory: PromptMemory) =>
    (await memory.embeddings([2, 1, 0], peers)).map((embedding) => embedding.values[0]);
  assert.deepEqual(await values(new PromptMemory(prompts, store)), [3, -1, 1]);
  assert.deepEqual([calls, added], [[[3, 1]], [['ccc', 'a']]]);
  assert.deepEqual(await values(new PromptMemory(prompts, store)), [3, -1, 1]);
  assert.equal(calls.length, 1);
  const failing = { ...store, add: () => Promise.reject(new Error('disk')) };
  const memory = new PromptMemory([prompt('dddd')], failing);
  for (let i = 0; i < 2; i++) await assert.rejects(memory.embeddings([0], peers), /disk/);
});

test('memory holds some thousand embeddings at most where a store has them all', async () => {
  let asked = 0;
  const store = {
    get: (hash: string) => {
      asked++;
      return Promise.resolve({ values: [Number(hash)] } as unknown as Embedding);
    },
    add: () => Promise.resolve(),
  };
  const memory = new PromptMemory(
    Array.from({ length: 5000 }, (_, i) => prompt('x', `${i}`)),
    store,
  );
  const { peers } = encoder();
  const every = [...Array(5000).keys()];
  assert.deepEqual(
    (await memory.embeddings(every, peers)).map(({ values }) => values[0]),
    every,
  );
  asked = 0;
  await memory.embeddings([4999, 0], peers);
  assert.equal(asked, 1);
});
