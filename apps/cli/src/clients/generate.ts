import { boolean, integer, number, option, resolveOptions, text, usageError } from '@a2sf/config';
import { GeneratorServiceClient, type GenerateResponseOutput } from '@a2sf/contracts';
import { callServerStream, ClientSecurity, connect } from '@a2sf/grpc-runtime';
import {
  clientOptions,
  compressionOptions,
  generationOptions,
  methodOption,
  parseAction,
  parseKeep,
  printJson,
  promptText,
  truncateOption,
  budgetOf,
} from './client-options.js';

const sampling = 'Sampling';

const options = {
  ...clientOptions('127.0.0.1:50052'),
  truncate: truncateOption,
  action: option({
    schema: text({ maxLength: 60 }),
    description: 'compress with this window, written a,b or a,b,budget (default: the full cache)',
    group: 'Compression',
  }),
  method: methodOption,
  ...compressionOptions,
  ...generationOptions,
  temperature: option({
    schema: number({ min: 0, max: 100 }),
    description: 'softmax temperature of drawn tokens; 0 = greedy',
    default: 0,
    group: sampling,
  }),
  repetitionPenalty: option({
    schema: number({ min: 0.01, max: 100 }),
    description: 'lowers tokens that were there before; 1 = none',
    default: 1,
    group: sampling,
  }),
  topK: option({
    schema: integer({ min: 0, max: 4_294_967_295 }),
    description: 'most probable tokens that are kept; 0 = all',
    default: 0,
    group: sampling,
  }),
  topP: option({
    schema: number({ min: 0, max: 1 }),
    description: 'probability that the kept tokens reach together; 1 = all',
    default: 1,
    group: sampling,
  }),
  minP: option({
    schema: number({ min: 0, max: 1 }),
    description: 'share of the largest probability that a kept token has',
    default: 0,
    group: sampling,
  }),
  seed: option({
    schema: integer({ min: 0, max: 4_294_967_295 }),
    description: 'start of the random numbers (default: another one each time)',
    group: sampling,
  }),
  usage: option({ schema: boolean, description: 'tell on stderr what it cost', default: false, group: 'Call' }),
};

/** `a2sf generate`: streams the continuation of a prompt. */
export async function generate(argv: readonly string[]): Promise<void> {
  const command = { name: 'a2sf generate', description: 'Continues a prompt with a full or a compressed cache.' };
  const { values, sources } = resolveOptions(command, options, argv);
  const { recent, maxNewTokens, ignoreEos, truncate, timeoutMs } = values;
  if (values.action !== undefined && values.method !== undefined) {
    throw usageError(['--action, --method: give one of them']);
  }
  const action = values.action === undefined ? {} : { action: parseAction(values.action, 'action') };
  const budget = budgetOf(values.budget, sources.budget, action.action);
  const shared = { budget, recent, keep: parseKeep(values.keep) };
  const method = values.method === undefined ? {} : { method: values.method };
  const whole = values.action === undefined && (values.method ?? 'full') === 'full';
  const compression = whole ? {} : { compression: { ...action, ...method, ...shared } };
  const prompt = { text: await promptText(values) };
  const client = connect(GeneratorServiceClient, values.address, { security: ClientSecurity.of(values) });
  try {
    const { temperature, repetitionPenalty, topK, topP, minP, seed } = values;
    const drawing = { temperature, repetitionPenalty, topK, topP, minP, ...(seed === undefined ? {} : { seed }) };
    const request = { prompt, ...compression, sampling: drawing, maxNewTokens, ignoreEos, truncate };
    const pieces: GenerateResponseOutput[] = [];
    for await (const piece of callServerStream(client, 'generate', request, { timeoutMs })) {
      pieces.push(piece);
      if (!values.json) process.stdout.write(piece.text);
    }
    const last = pieces.at(-1);
    if (values.json) {
      printJson({
        text: pieces.map((piece) => piece.text).join(''),
        token_ids: pieces.flatMap((piece) => piece.tokenIds),
        finish_reason: last?.finishReason ?? null,
        truncated: last?.truncated ?? false,
        usage: last?.usage ?? null,
      });
      return;
    }
    process.stdout.write('\n');
    const usage = last?.usage;
    if (values.usage && usage) {
      const { promptTokens, keptTokens, generatedTokens, prefillMs, decodeMs } = usage;
      const cost = `prefill ${prefillMs.toFixed(0)} ms, decode ${decodeMs.toFixed(0)} ms`;
      process.stderr.write(`${promptTokens} prompt tokens, ${keptTokens} kept, ${generatedTokens} new; ${cost}\n`);
    }
  } finally {
    client.close();
  }
}
