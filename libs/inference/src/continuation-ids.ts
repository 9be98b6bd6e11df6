import { A2sfError } from '@a2sf/errors';
import type { ScoreInput } from './language-model-types.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * The token ids of a continuation that is to be scored, 1..maxTokens of them.
 * @throws A2sfError FAILED_PRECONDITION for a text without a tokenizer, INVALID_ARGUMENT for ids outside the vocabulary.
 */
export function continuationIds(
  { continuation: source, maxTokens }: Pick<ScoreInput, 'continuation' | 'maxTokens'>,
  tokenizer: Tokenizer | undefined,
  vocab: number,
): readonly number[] {
  if ('text' in source && tokenizer === undefined) {
    const message = 'continuation.text: the model folder has no tokenizer.json; send token_ids';
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'continuation.text', reason: 'no-tokenizer' });
  }
  const ids = 'text' in source ? tokenizer!.encode(source.text, { addSpecialTokens: false }) : source.ids;
  if (ids.length === 0 || ids.length > maxTokens) {
    throw A2sfError.invalid('continuation', `must have 1..${maxTokens} tokens, has ${ids.length}`);
  }
  ids.forEach((id, i) => {
    if (!(Number.isInteger(id) && id >= 0 && id < vocab)) {
      const field = `continuation.token_ids.ids[${i}]`;
      throw A2sfError.invalid(field, `must be below the vocabulary size ${vocab}, got ${id}`);
    }
  });
  return ids;
}
