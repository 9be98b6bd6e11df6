import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { boolean, integer, listOf, option, snakeCase, text, usageError } from '@a2sf/config';
import type { Action } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { clientSecurityOptions } from '@a2sf/grpc-runtime';

const prompt = 'Prompt';
const call = 'Call';

/** The flags that every client of a service has. */
export function clientOptions(defaultAddress: string) {
  return {
    prompt: option({
      schema: text({ maxLength: 16 << 20 }),
      description: 'the text (default: --prompt_file, else standard input)',
      group: prompt,
    }),
    promptFile: option({ schema: text(), description: 'file that holds the text', group: prompt }),
    address: option({
      schema: text({ maxLength: 300 }),
      description: 'address of the service: host:port or dns:///name:port',
      default: defaultAddress,
      group: call,
    }),
    timeoutMs: option({
      schema: integer({ min: 1, max: 86_400_000 }),
      description: 'ms that the call may take',
      default: 600_000,
      group: call,
    }),
    ...clientSecurityOptions(call),
    json: option({ schema: boolean, description: 'print the answer as JSON', default: false, group: call }),
  };
}

/** The flags that tell how a prompt's cache is compressed. */
export const compressionOptions = {
  keep: option({
    schema: listOf(text({ maxLength: 40 }), { max: 64 }),
    list: true,
    description: 'positions that are never evicted, each span written start:end',
    group: 'Compression',
  }),
  budget: option({
    schema: integer({ min: 1, max: 1_048_576 }),
    description: 'keys kept per layer and KV head, in tokens',
    default: 128,
    group: 'Compression',
  }),
  recent: option({
    schema: integer({ min: 0, max: 1_048_576 }),
    description: 'last keys of the budget that are kept unconditionally; 0 = an eighth of the budget',
    default: 0,
    group: 'Compression',
  }),
};

/** The flag that names another compression method than the window. */
export const methodOption = option({
  schema: text({ maxLength: 60 }),
  description: 'full, random, streaming-llm, h2o, snapkv, tova or a2sf, instead of the window of an action',
  group: 'Compression',
});

/** Spans written `start:end`. Throws a usage error. */
export function parseKeep(written: readonly string[] | undefined): { start: number; end: number }[] {
  return (written ?? []).map((span) => {
    const [start, end, ...more] = span.split(':').map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
    if (more.length > 0 || start === undefined || end === undefined || !(start < end)) {
      throw usageError([`--keep: must be start:end with start < end, such as 0:4; got ${JSON.stringify(span)}`]);
    }
    return { start, end };
  });
}

/** The flags of a prompt that may be too long, and of what is generated. */
export const generationOptions = {
  maxNewTokens: option({
    schema: integer({ min: 1, max: 1_048_576 }),
    description: 'new tokens at most',
    default: 16,
    group: 'Generation',
  }),
  ignoreEos: option({ schema: boolean, description: 'go on after an end token', default: false, group: 'Generation' }),
};

/** The flag that allows a prompt to be cut. */
export const truncateOption = option({
  schema: boolean,
  description: "cut the middle out of a prompt over the server's limit instead of refusing it",
  default: false,
  group: prompt,
});

/** The text that the flags or standard input give. Throws a usage error for two of them, or a file that cannot be read. */
export async function promptText(values: {
  readonly prompt?: string | undefined;
  readonly promptFile?: string | undefined;
}): Promise<string> {
  if (values.prompt !== undefined && values.promptFile !== undefined) {
    throw usageError(['--prompt, --prompt_file: give one of them']);
  }
  if (values.prompt !== undefined) return values.prompt;
  if (values.promptFile === undefined) return readFileSync(0, 'utf8');
  return readFile(values.promptFile, 'utf8').catch((cause: unknown) => {
    throw new A2sfError('NOT_FOUND', `--prompt_file: cannot read ${values.promptFile}`, {
      field: 'prompt_file',
      cause,
    });
  });
}

/** An action written `a,b` or `a,b,budget`. Throws a usage error naming the flag. */
export function parseAction(written: string, flag: string): Action {
  const [a, b, budget, ...more] = written.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  const isWhole = (value: number | undefined) => Number.isInteger(value) && value! >= 1;
  if (more.length > 0 || a === undefined || !(a >= 0) || !isWhole(b) || (budget !== undefined && !isWhole(budget))) {
    throw usageError([
      `--${flag}: must be a,b or a,b,budget with a >= 0 and whole b and budget >= 1, such as 10,16; got ${JSON.stringify(written.slice(0, 40))}`,
    ]);
  }
  return budget === undefined ? { a, b: b! } : { a, b: b!, budget };
}

/** The budget to ask for: that of an action which names one, unless the flag gives one, which the server then compares. */
export function budgetOf(flag: number, source: string, action: Action | undefined): number {
  return source === 'default' ? (action?.budget ?? flag) : flag;
}

/** An action as `parseAction` reads it. */
export function actionText(action: Action | null | undefined): string {
  const { a, b, budget } = action ?? {};
  return `${a},${b}${budget === undefined ? '' : `,${budget}`}`;
}

/** Writes an answer as JSON, its fields spelled as in the contract. */
export function printJson(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(contractNames(answer), null, 2)}\n`);
}

/** The fields of a message in snake_case, without the markers that proto-loader adds for optional ones (`_sameAs`). */
export function contractNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(contractNames);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([key]) => !key.startsWith('_'));
  return Object.fromEntries(fields.map(([key, field]) => [snakeCase(key), contractNames(field)]));
}
