import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fillTemplate } from './dataset.js';
import { datasetNamed } from './datasets.js';
import { longBenchDatasets } from './longbench-datasets.js';
import { preparePrompt, splitEnds, type PromptTokenizer } from './prompt-pipeline.js';
import { promptTokensOf, wrapFor } from './prompt-presets.js';

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../../test/fixtures/prompts/${name}.json`, import.meta.url), 'utf8'));
}

interface PromptsFixture {
  no_wrap: string[];
  model_max_tokens: Record<string, number>;
  max_new_tokens: Record<string, number>;
  fill: {
    dataset: string;
    context: string;
    input: string;
    model: string;
    wrapped: boolean;
    filled_chars: number;
    filled_sha256: string;
    final_chars: number;
    final_sha256: string;
    max_new_tokens: number;
  }[];
  truncate: {
    n: number;
    max_tokens: number;
    truncated: boolean;
    ids?: number[];
    expected?: number[];
    first_kept?: [number, number];
    last_kept?: [number, number];
  }[];
}
const prompts = fixture('prompts') as PromptsFixture;

interface PipelineFixture {
  vocab: Record<string, number>;
  rows: {
    model: string;
    dataset: string;
    max_tokens: number;
    text: string;
    ids: number[];
    final_text: string;
    final_ids: number[];
  }[];
}
const pipeline = fixture('pipeline') as PipelineFixture;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A tokenizer of characters that adds nothing. */
const characters: PromptTokenizer = {
  encode: (text) => Array.from(text, (character) => character.codePointAt(0)!),
  decode: (ids) => String.fromCodePoint(...ids),
};

test("templates, wraps and new-token limits of all LongBench datasets are the reference's", () => {
  assert.equal(prompts.fill.length, longBenchDatasets.length);
  for (const row of prompts.fill) {
    const dataset = datasetNamed(row.dataset);
    const filled = fillTemplate(dataset.template, row);
    assert.equal(sha256(filled), row.filled_sha256, row.dataset);
    assert.equal(Array.from(filled).length, row.filled_chars);
    const wrap = wrapFor(row.model, row.dataset);
    assert.equal(wrap === 'inst', row.wrapped, `${row.model} ${row.dataset}`);
    const { text } = preparePrompt(filled, characters, { maxTokens: 10_000, wrap });
    assert.equal(sha256(text), row.final_sha256, row.dataset);
    assert.equal(Array.from(text).length, row.final_chars);
    assert.equal(dataset.maxNewTokens, row.max_new_tokens);
    assert.equal(dataset.maxNewTokens, prompts.max_new_tokens[row.dataset]);
  }
});

test("the listed datasets are never wrapped and the presets have the reference's prompt limits", () => {
  for (const { name } of longBenchDatasets) {
    assert.equal(wrapFor('llama2', name), prompts.no_wrap.includes(name) ? 'none' : 'inst', name);
  }
  for (const [model, limit] of Object.entries(prompts.model_max_tokens)) assert.equal(promptTokensOf(model), limit);
  for (const model of ['opt', 'qwen2', 'tiny-a2sf', '', '/models/llama2']) {
    assert.equal(wrapFor(model, 'qasper'), 'none');
  }
  assert.equal(promptTokensOf('tiny-a2sf'), undefined);
});

test("too long a prompt keeps the reference's first and last half", () => {
  for (const row of prompts.truncate) {
    const ids = row.ids ?? Array.from({ length: row.n }, (_, i) => i);
    const kept = ({ head, tail }: { head: readonly number[]; tail: readonly number[] }) => [...head, ...tail];
    if (row.max_tokens < 2) {
      // the reference keeps the whole prompt here, because a slice from -0 is everything
      assert.throws(() => splitEnds(ids, row.max_tokens), { code: 'INVALID_ARGUMENT', field: 'max_tokens' });
      continue;
    }
    const ends = splitEnds(ids, row.max_tokens);
    assert.equal(ends !== undefined, row.truncated);
    const expected = row.expected ?? [...ids.slice(...row.first_kept!), ...ids.slice(...row.last_kept!)];
    assert.deepEqual(ends ? kept(ends) : ids, expected);
  }
});

test("the whole pipeline gives the reference's text and ids", () => {
  const texts = new Map(Object.entries(pipeline.vocab).map(([text, id]) => [id, text]));
  const tokenizer: PromptTokenizer = {
    encode: (text) => {
      const words = text.replaceAll('[INST]', ' [INST] ').replaceAll('[/INST]', ' [/INST] ').split(' ');
      return [1, ...words.filter((word) => word !== '').map((word) => pipeline.vocab[word] ?? 0)];
    },
    decode: (ids, { skipSpecialTokens }) => {
      assert.equal(skipSpecialTokens, true);
      return ids
        .filter((id) => id > 2)
        .map((id) => texts.get(id))
        .join(' ');
    },
  };
  for (const row of pipeline.rows) {
    assert.deepEqual(tokenizer.encode(row.text), row.ids);
    const prepared = preparePrompt(row.text, tokenizer, {
      maxTokens: row.max_tokens,
      wrap: wrapFor(row.model, row.dataset),
    });
    const truncated = row.ids.length > row.max_tokens;
    assert.deepEqual(prepared, { text: row.final_text, ids: row.final_ids, truncated });
  }
});

test('values that look like fields or replacement patterns are left alone', () => {
  const filled = fillTemplate('{context}|{input}|{other}|{{context}}', {
    context: '{input} $& $1',
    input: '{context}',
  });
  assert.equal(filled, '{input} $& $1|{context}|{other}|{{input} $& $1}');
});
