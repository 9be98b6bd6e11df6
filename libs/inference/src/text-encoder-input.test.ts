import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isA2sfError } from '@a2sf/errors';
import { resolveModelFolder } from '@a2sf/model-zoo';
import fc from 'fast-check';
import { EncoderInputReader } from './text-encoder-input.js';
import { Tokenizer } from './tokenizer.js';

const encoder = Tokenizer.load(resolveModelFolder(undefined, 'encoder').folder)!; // [CLS] A [SEP]
const llm = Tokenizer.load(resolveModelFolder(undefined, 'llm').folder)!; // <s> A

describe('an encoder input', () => {
  test('is the first tokens of the content with the special tokens around it, never over the limit', () => {
    const reader = new EncoderInputReader(encoder, 8, 2048);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const all = encoder.encode(text);
        const { ids, truncated } = reader.read({ text });
        if (text.trim() === '') return assert.deepEqual(ids, []);
        assert.equal(truncated, all.length > 8);
        return assert.deepEqual(ids, truncated ? [...all.slice(0, 7), 5] : all);
      }),
    );
  });

  test('of a tokenizer that puts nothing behind the content is cut plainly', () => {
    const text = 'one two three four five six seven eight nine';
    assert.deepEqual(new EncoderInputReader(llm, 4, 2048).read({ text }).ids, llm.encode(text).slice(0, 4));
  });

  test('as a text needs a tokenizer, unless it is blank', () => {
    const reader = new EncoderInputReader(undefined, 8, 128);
    reader.check({ text: ' ' }, 'inputs[0]');
    assert.throws(
      () => reader.check({ text: 'x' }, 'inputs[3]'),
      (error) =>
        isA2sfError(error) && error.code === 'FAILED_PRECONDITION' && error.message.startsWith('inputs[3].text: '),
    );
  });

  test('whose tokenizer knows more tokens than the model is DATA_LOSS', () => {
    const reader = new EncoderInputReader(encoder, 8, 10);
    assert.throws(
      () => reader.read({ text: 'hello' }),
      (error) => isA2sfError(error) && error.code === 'DATA_LOSS',
    );
  });
});
