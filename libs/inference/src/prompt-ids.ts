import { preparePrompt } from '@a2sf/datasets';
import { A2sfError } from '@a2sf/errors';
import type { LanguageModelInfo, PromptInput } from './language-model-types.js';
import type { Tokenizer } from './tokenizer.js';

export interface PromptIds {
  readonly ids: readonly number[];
  readonly truncated: boolean;
}

/**
 * The token ids that the model reads: text is cut, wrapped and tokenised by the reference's rule (see preparePrompt), or
 * cut by it and wrapped by the model's chat template; ids are cut to first half + last half. FAILED_PRECONDITION: text
 * without a tokenizer, wrap 'chat' without a chat template. RESOURCE_EXHAUSTED: over the limit without `truncate`, or over the context together
 * with the new tokens.
 */
export function preparePromptIds(
  input: PromptInput,
  maxNewTokens: number,
  tokenizer: Tokenizer | undefined,
  info: LanguageModelInfo,
): PromptIds {
  const limit = input.maxPromptTokens === 0 ? info.maxPromptTokens : input.maxPromptTokens;
  if (limit > info.maxPromptTokens || limit < 2) {
    const problem = `must be in 2..${info.maxPromptTokens} (the model's limit here), got ${limit}`;
    throw A2sfError.invalid('max_prompt_tokens', problem);
  }
  const prepared =
    'text' in input.source
      ? fromText(input.source.text, input.wrap, limit, tokenizer)
      : fromIds(input.source.ids, limit, info.vocab);
  if (prepared.truncated && !input.truncate) {
    const message = `prompt: longer than the limit of ${limit} tokens; set truncate to keep its first and last half`;
    throw new A2sfError('RESOURCE_EXHAUSTED', message, { field: 'prompt', reason: 'prompt-too-long' });
  }
  const n = prepared.ids.length;
  if (n + maxNewTokens > info.contextTokens) {
    const message = `prompt: ${n} tokens and ${maxNewTokens} new ones exceed the context of ${info.contextTokens} tokens`;
    throw new A2sfError('RESOURCE_EXHAUSTED', message, { field: 'prompt', reason: 'context-exceeded' });
  }
  return prepared;
}

function fromText(
  text: string,
  wrap: PromptInput['wrap'],
  maxTokens: number,
  tokenizer: Tokenizer | undefined,
): PromptIds {
  if (text.trim() === '') throw A2sfError.invalid('prompt', 'must not be blank');
  if (tokenizer === undefined) {
    const message = 'prompt.text: the model folder has no tokenizer.json; send token_ids';
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'prompt.text', reason: 'no-tokenizer' });
  }
  if (wrap !== 'chat') return preparePrompt(text, tokenizer, { maxTokens, wrap });
  const { chatTemplate } = tokenizer;
  if (chatTemplate === undefined) {
    const message = 'wrap: the model has no chat template; send the prompt without wrap, or as the model expects it';
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'wrap', reason: 'no-chat-template' });
  }
  const cut = preparePrompt(text, tokenizer, { maxTokens, wrap: 'none' });
  // The template writes the special tokens itself.
  const ids = tokenizer.encode(chatTemplate.render(cut.text), { addSpecialTokens: false });
  return { ids, truncated: cut.truncated };
}

function fromIds(ids: readonly number[], maxTokens: number, vocab: number): PromptIds {
  if (ids.length === 0) throw A2sfError.invalid('prompt.token_ids.ids', 'must not be empty');
  const bad = ids.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < vocab));
  if (bad >= 0) {
    throw A2sfError.invalid(
      `prompt.token_ids.ids[${bad}]`,
      `must be below the vocabulary size ${vocab}, got ${ids[bad]}`,
    );
  }
  if (ids.length <= maxTokens) return { ids, truncated: false };
  const half = maxTokens >> 1;
  return { ids: [...ids.slice(0, half), ...ids.slice(ids.length - half)], truncated: true };
}
