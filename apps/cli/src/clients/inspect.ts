import { boolean, integer, listOf, option, resolveOptions, text, usageError } from '@a2sf/config';
import { GeneratorServiceClient } from '@a2sf/contracts';
import { callUnary, ClientSecurity, connect } from '@a2sf/grpc-runtime';
import { ActionSpace, type Span } from '@a2sf/kv-compression';
import {
  actionText,
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
  withStatistics: option({
    schema: boolean,
    description: "also how each layer's scores are spread: entropy, and share of the first four positions (the sinks)",
    default: false,
    group: 'Answer',
  }),
  compareActions: option({
    schema: listOf(text({ maxLength: 60 }), { min: 1, max: 256 }),
    list: true,
    description:
      'also how much of the selection is that of these windows, each written a,b or a,b,budget; all = the sixty of the action space',
    group: 'Answer',
  }),
  compareMethods: option({
    schema: listOf(text({ maxLength: 60 }), { min: 1, max: 8 }),
    list: true,
    description: 'also how much of the selection is that of these methods, under the same budget',
    group: 'Answer',
  }),
};

/** `a2sf inspect`: which positions of a prompt a compression keeps. */
export async function inspect(argv: readonly string[]): Promise<void> {
  const command = {
    name: 'a2sf inspect',
    description: 'Shows which positions of a prompt a compression keeps, and statistics of its scores.',
  };
  const { values, sources } = resolveOptions(command, options, argv);
  const { recent, truncate, withScores, withStatistics, timeoutMs } = values;
  const { method, keep: written } = values;
  if (values.action !== undefined && method !== undefined) throw usageError(['--action, --method: give one of them']);
  const action = method === undefined ? parseAction(values.action ?? '10,16', 'action') : undefined;
  const ranked = action === undefined ? { method: method! } : { action };
  const budget = budgetOf(values.budget, sources.budget, action);
  const compression = { ...ranked, budget, recent, keep: parseKeep(written) };
  const compare = comparedBy(values, compression);
  const prompt = { text: await promptText(values) };
  const client = connect(GeneratorServiceClient, values.address, { security: ClientSecurity.of(values) });
  try {
    const layers = values.layers ?? [];
    const request = { prompt, compression, layers, withScores, withStatistics, truncate, ...(compare && { compare }) };
    const answer = await callUnary(client, 'inspect', request, { timeoutMs });
    if (values.json) return printJson(answer);
    const lines = [`${answer.promptTokens} prompt tokens`];
    for (const { layer, heads, statistics } of answer.layers) {
      if (statistics !== null) {
        const { entropy, sinkMass } = statistics;
        lines.push(`layer ${layer}: entropy ${entropy.toFixed(4)}, sinks ${sinkMass.toFixed(4)}`);
      }
      for (const [head, { positions, scores }] of heads.entries()) {
        const shown = positions.map((at, i) =>
          scores[i] === undefined ? `${at}` : `${at}:${scores[i].toPrecision(4)}`,
        );
        lines.push(`layer ${layer} head ${head}: ${shown.join(' ')}`);
      }
    }
    for (const [i, { action, jaccard, keptTokens }] of answer.overlaps.entries()) {
      const name = action === null ? compare!.compressions[i - compare!.actions.length]!.method : actionText(action);
      lines.push(`overlap with ${name}: ${jaccard.toFixed(4)} (${keptTokens} kept)`);
    }
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    client.close();
  }
}

/** What `--compare_actions` and `--compare_methods` ask for. Throws a usage error. */
function comparedBy(
  values: {
    readonly compareActions?: readonly string[] | undefined;
    readonly compareMethods?: readonly string[] | undefined;
  },
  { budget, keep }: { readonly budget: number; readonly keep: Span[] },
) {
  const { compareActions: written = [], compareMethods: methods = [] } = values;
  if (written.length + methods.length === 0) return undefined;
  const actions =
    written.join() === 'all'
      ? ActionSpace.default.actions()
      : written.map((action) => parseAction(action, 'compare_actions'));
  return { actions, compressions: methods.map((method) => ({ method, budget, keep })) };
}
