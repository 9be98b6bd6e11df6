import { A2sfError } from '@a2sf/errors';
import { readModelJson } from '@a2sf/model-zoo';
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import { ChatTemplate } from './chat-template.js';

/** The largest tokenizers of supported models have 17 MB. */
const maxBytes = 32 * 1024 * 1024;

/** A model folder's `tokenizer.json`, read by Hugging Face's own library. Slow on pathological text: use it in a worker. */
export class Tokenizer {
  private constructor(
    private readonly tokenizer: HfTokenizer,
    /** The model's chat template; undefined when it has none. */
    readonly chatTemplate: ChatTemplate | undefined,
  ) {}

  /** Reads the tokenizer of a folder; undefined when it has none. Throws DATA_LOSS when the file is damaged. */
  static load(folder: string): Tokenizer | undefined {
    const description = readModelJson(folder, 'tokenizer.json', maxBytes);
    if (description === undefined) return undefined;
    const config = readModelJson(folder, 'tokenizer_config.json', maxBytes) ?? {};
    try {
      const tokenizer = new HfTokenizer(description, config);
      return new Tokenizer(tokenizer, ChatTemplate.load(folder, config));
    } catch (cause) {
      throw new A2sfError('DATA_LOSS', 'tokenizer.json: cannot be read as a tokenizer', {
        field: 'tokenizer.json',
        cause,
      });
    }
  }

  /** Token ids of a text; unless told otherwise the model's special tokens are added. */
  encode(text: string, { addSpecialTokens } = { addSpecialTokens: true }): number[] {
    return [...this.tokenizer.encode(text, { add_special_tokens: addSpecialTokens }).ids];
  }

  get hasChatTemplate(): boolean {
    return this.chatTemplate !== undefined;
  }

  /** The text of token ids. */
  decode(
    ids: readonly number[],
    options: { readonly skipSpecialTokens: boolean } = { skipSpecialTokens: true },
  ): string {
    if (ids.length === 0) return '';
    return this.tokenizer.decode([...ids], {
      skip_special_tokens: options.skipSpecialTokens,
      clean_up_tokenization_spaces: false,
    });
  }
}
