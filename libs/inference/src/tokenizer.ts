import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import { ChatTemplate } from './chat-template.js';

/** A model folder's `tokenizer.json`, read by Hugging Face's own library. Slow on pathological text: use it in a worker. */
export class Tokenizer {
  private constructor(
    private readonly tokenizer: HfTokenizer,
    /** The model's chat template; undefined when it has none. */
    readonly chatTemplate: ChatTemplate | undefined,
  ) {}

  /** Reads the tokenizer of a folder; undefined when it has none. Throws DATA_LOSS when the file is damaged. */
  static load(folder: string): Tokenizer | undefined {
    const path = join(folder, 'tokenizer.json');
    if (!existsSync(path)) return undefined;
    const configPath = join(folder, 'tokenizer_config.json');
    try {
      const config: object = existsSync(configPath) ? JSON.parse(readFileSync(configPath, 'utf8')) : {};
      const tokenizer = new HfTokenizer(JSON.parse(readFileSync(path, 'utf8')), config);
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
