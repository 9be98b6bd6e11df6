import { boolean, integer, listOf, option, resolveOptions, text, usageError } from '@a2sf/config';
import { GeneratorServiceClient } from '@a2sf/contracts';
import { callUnary, ClientSecurity, connect } from '@a2sf/grpc-runtime';
import {
  clientOptions,
  compressionOptions,
  methodOption,
  parseAction,
  parseKeep,
  printJson,
  promptText,
  truncateOption,
  budgetOf,
} from './client-options.js';

const options = {
  ...clientOptions('127.0.0.1:50052'),
  truncate: truncateOption,
  action: option({
    schema: text({ maxLength: 60 }),
    description: 'the window, written a,b or a,b,budget (default: 10,16, unless a method is named)',
    group: 'Compression',
  }),
  method: methodOption,
  ...compressionOptions,
  layers: option({
    schema: listOf(integer({ min: 0, max: 4096 })),
    list: true,
    description: 'the layers to show (default: all)',
    group: 'Answer',
  }),
  withScores: option({
    schema: boolean,
    description: 'also the score of every kept position',
    default: false,
    group: 'Answer',
  }),
};

/** `a2sf inspect`: which positions of a prompt a compression keeps. */
export async function inspect(argv: readonly string[]): Promise<void> {
  const command = { name: 'a2sf inspect', description: 'Shows which positions of a prompt a compression keeps.' };
  const { values, sources } = resolveOptions(command, options, argv);
  const { recent, truncate, withScores, timeoutMs } = values;
  const { method, keep: written } = values;
  if (values.action !== undefined && method !== undefined) throw usageError(['--action, --method: give one of them']);
  const action = method === undefined ? parseAction(values.action ?? '10,16', 'action') : undefined;
  const ranked = action === undefined ? { method: method! } : { action };
  const budget = budgetOf(values.budget, sources.budget, action);
  const compression = { ...ranked, budget, recent, keep: parseKeep(written) };
  const prompt = { text: await promptText(values) };
  const client = connect(GeneratorServiceClient, values.address, { security: ClientSecurity.of(values) });
  try {
    const request = { prompt, compression, layers: values.layers ?? [], withScores, truncate };
    const answer = await callUnary(client, 'inspect', request, { timeoutMs });
    if (values.json) return printJson(answer);
    const lines = [`${answer.promptTokens} prompt tokens`];
    for (const { layer, heads } of answer.layers) {
      for (const [head, { positions, scores }] of heads.entries()) {
        const shown = positions.map((at, i) =>
          scores[i] === undefined ? `${at}` : `${at}:${scores[i].toPrecision(4)}`,
        );
        lines.push(`layer ${layer} head ${head}: ${shown.join(' ')}`);
      }
    }
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    client.close();
  }
}
