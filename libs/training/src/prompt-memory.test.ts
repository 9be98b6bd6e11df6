import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Embedding, Peers } from './peers.js';
import { PromptMemory } from './prompt-memory.js';
import type { Prompt } from './prompt.js';

const prompt = (text: string): Prompt => ({ text }) as Prompt;

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
  const small = Array.from({ length: 40 }, () => prompt('x'));
  const large = [prompt('y'.repeat(3 << 20)), prompt('z'.repeat(2 << 20)), prompt('w'.repeat(5 << 20))];
  const memory = new PromptMemory([...small, ...large]);
  const { peers, calls } = encoder();
  await memory.embeddings([...Array(43).keys()], peers);
  assert.deepEqual(
    calls.map((call) => call.length),
    [32, 9, 1, 1],
  );
});
