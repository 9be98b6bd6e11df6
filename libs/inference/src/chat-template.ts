import { A2sfError } from '@a2sf/errors';
import { readModelText } from '@a2sf/model-zoo';
import { Template } from '@huggingface/jinja';

/** Longest template in characters; those of published models have a few thousand. */
const maxTemplateLength = 1 << 20;
/** Most characters of a rendered prompt: of its own length, and beside it. */
const maxGrowth = 4;
const maxAddition = 64 << 10;

/** A model's own chat template: Jinja, as Hugging Face's tokenizers keep it. */
export class ChatTemplate {
  private parsed: Template | undefined;

  private constructor(
    private readonly source: string,
    private readonly tokens: Readonly<Record<string, string>>,
  ) {}

  /**
   * Reads the template of a folder: `chat_template.jinja`, else `chat_template` of tokenizer_config.json (a text, or a list
   * of which the one named `default` counts). Undefined when there is none. It is parsed when first used: a broken one
   * disturbs no prompt that does without it.
   */
  static load(folder: string, config: object): ChatTemplate | undefined {
    const file = readModelText(folder, 'chat_template.jinja', 4 * maxTemplateLength);
    const source = file ?? templateOf(valueOf(config, 'chat_template'));
    if (source === undefined) return undefined;
    const tokens = ['bos_token', 'eos_token'].map((key) => [key, tokenText(valueOf(config, key))]);
    return new ChatTemplate(source, Object.fromEntries(tokens) as Record<string, string>);
  }

  /**
   * A prompt as the one message of a user, up to where the answer begins; it holds the special tokens as text. Throws
   * FAILED_PRECONDITION when the template cannot be parsed, fails, or its text is longer than 4 times the prompt and 64 KiB.
   */
  render(prompt: string): string {
    const limit = maxGrowth * prompt.length + maxAddition;
    const template = this.parse();
    let text: string;
    try {
      const messages = [{ role: 'user', content: prompt }];
      text = template.render({ ...this.tokens, messages, add_generation_prompt: true });
    } catch (cause) {
      throw bad('fails on a user message', cause);
    }
    if (text.length > limit) throw bad(`makes ${text.length} characters of a prompt, over the limit of ${limit}`);
    if (text === '') throw bad('makes an empty text of a prompt');
    return text;
  }

  private parse(): Template {
    if (this.source.length > maxTemplateLength) throw bad(`is longer than ${maxTemplateLength} characters`);
    try {
      this.parsed ??= new Template(this.source);
      return this.parsed;
    } catch (cause) {
      throw bad('cannot be parsed', cause);
    }
  }
}

function templateOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = (value as unknown[]).find((entry) => valueOf(entry, 'name') === 'default');
  const template = valueOf(named, 'template');
  return typeof template === 'string' ? template : undefined;
}

/** A special token is a text, or an object that holds it as `content`. */
function tokenText(token: unknown): string {
  const text = typeof token === 'string' ? token : valueOf(token, 'content');
  return typeof text === 'string' ? text : '';
}

function valueOf(object: unknown, key: string): unknown {
  return typeof object === 'object' && object !== null ? (object as Record<string, unknown>)[key] : undefined;
}

function bad(problem: string, cause?: unknown): A2sfError {
  const details = { field: 'wrap', reason: 'bad-chat-template', cause };
  return new A2sfError('FAILED_PRECONDITION', `wrap: the model's chat template ${problem}`, details);
}
