import { A2sfError } from '@a2sf/errors';
import type { EncodeInput } from './text-encoder-types.js';
import type { Tokenizer } from './tokenizer.js';

/** Token ids that an encoder reads; none for a blank input. */
export interface EncoderIds {
  readonly ids: readonly number[];
  readonly truncated: boolean;
}

/**
 * Turns inputs into token ids as Hugging Face's tokenizers do with truncation on: the model's special tokens are added and
 * count, the content is cut to its beginning, and what the tokenizer puts behind the content ([SEP]) stays last. Ids that
 * were given are the whole input; nothing is added to them.
 */
export class EncoderInputReader {
  /** Special tokens behind the content. */
  private readonly trailing: number;

  constructor(
    private readonly tokenizer: Tokenizer | undefined,
    private readonly maxTokens: number,
    private readonly vocab: number,
  ) {
    this.trailing = tokenizer === undefined ? 0 : commonEnd(tokenizer.encode(''), tokenizer.encode('a'));
  }

  /**
   * Checks what can be checked without tokenising. INVALID_ARGUMENT: an id outside the vocabulary; FAILED_PRECONDITION: a
   * text, but the model has no tokenizer. `field` is where the input stands in its message.
   */
  check(input: EncodeInput, field: string): void {
    if ('ids' in input) {
      const bad = input.ids.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < this.vocab));
      if (bad < 0) return;
      const problem = `must be below the vocabulary size ${this.vocab}, got ${input.ids[bad]}`;
      throw A2sfError.invalid(`${field}.token_ids.ids[${bad}]`, problem);
    }
    if (this.tokenizer === undefined && !isBlank(input.text)) {
      const message = `${field}.text: the model folder has no tokenizer.json; it serves token_ids only`;
      throw new A2sfError('FAILED_PRECONDITION', message, { field: `${field}.text`, reason: 'no-tokenizer' });
    }
  }

  /** The ids of a checked input. */
  read(input: EncodeInput): EncoderIds {
    if ('ids' in input) return this.cut(input.ids, 0);
    if (isBlank(input.text)) return { ids: [], truncated: false };
    const ids = this.tokenizer!.encode(input.text);
    if (ids.some((id) => id >= this.vocab)) {
      throw new A2sfError('DATA_LOSS', `tokenizer.json: has token ids beyond config.json's vocab_size ${this.vocab}`, {
        field: 'tokenizer.json',
        reason: 'tokenizer-mismatch',
      });
    }
    return this.cut(ids, this.trailing);
  }

  private cut(ids: readonly number[], trailing: number): EncoderIds {
    if (ids.length <= this.maxTokens) return { ids, truncated: false };
    const end = ids.slice(ids.length - trailing);
    return { ids: [...ids.slice(0, this.maxTokens - trailing), ...end], truncated: true };
  }
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

/** Length of the longest common end of two lists. */
function commonEnd(x: readonly number[], y: readonly number[]): number {
  let count = 0;
  while (count < Math.min(x.length, y.length) && x.at(-1 - count) === y.at(-1 - count)) count++;
  return count;
}
