import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';

/** A model folder's `tokenizer.json`, read by Hugging Face's own library. Slow on pathological text: use it in a worker. */
export class Tokenizer {
  private constructor(private readonly tokenizer: HfTokenizer) {}

  /** Reads the tokenizer of a folder; undefined when it has none. Throws DATA_LOSS when the file is damaged. */
  static load(folder: string): Tokenizer | undefined {
    const path = join(folder, 'tokenizer.json');
    if (!existsSync(path)) return undefined;
    const configPath = join(folder, 'tokenizer_config.json');
    try {
      const config: object = existsSync(configPath) ? JSON.parse(readFileSync(configPath, 'utf8')) : {};
      return new Tokenizer(new HfTokenizer(JSON.parse(readFileSync(path, 'utf8')), config));
    } catch (cause) {
      throw new A2sfError('DATA_LOSS', 'tokenizer.json: cannot be read as a tokenizer', {
        field: 'tokenizer.json',
        cause,
      });
    }
  }

  /** Token ids of a text, the model's special tokens added. */
  encode(text: string): number[] {
    return [...this.tokenizer.encode(text).ids];
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
