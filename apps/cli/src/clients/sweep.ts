import { boolean, listOf, option, resolveOptions, text } from '@a2sf/config';
import { GeneratorServiceClient } from '@a2sf/contracts';
import { callUnary, ClientSecurity, connect } from '@a2sf/grpc-runtime';
import { ActionSpace } from '@a2sf/kv-compression';
import {
  clientOptions,
  compressionOptions,
  generationOptions,
  parseAction,
  parseKeep,
  printJson,
  promptText,
  truncateOption,
  actionText,
} from './client-options.js';

const options = {
  ...clientOptions('127.0.0.1:50052'),
  truncate: truncateOption,
  actions: option({
    schema: listOf(text({ maxLength: 60 }), { min: 1, max: 256 }),
    list: true,
    description: 'the windows to try, each written a,b or a,b,budget (default: the sixty of the action space)',
    group: 'Compression',
  }),
  ...compressionOptions,
  ...generationOptions,
  includeFull: option({
    schema: boolean,
    description: 'also continue with the full cache',
    default: true,
    group: 'Generation',
  }),
};

/** `a2sf sweep`: the continuations of a prompt under many actions, those that keep the same positions told once. */
export async function sweep(argv: readonly string[]): Promise<void> {
  const command = { name: 'a2sf sweep', description: 'Continues a prompt under many actions from one prefill.' };
  const { values } = resolveOptions(command, options, argv);
  const { budget, recent, maxNewTokens, ignoreEos, truncate, includeFull, timeoutMs } = values;
  const actions = values.actions?.map((written) => parseAction(written, 'actions')) ?? ActionSpace.default.actions();
  const prompt = { text: await promptText(values) };
  const client = connect(GeneratorServiceClient, values.address, { security: ClientSecurity.of(values) });
  try {
    const keep = parseKeep(values.keep);
    const request = { prompt, actions, keep, budget, recent, maxNewTokens, ignoreEos, truncate, includeFull };
    const answer = await callUnary(client, 'sweep', request, { timeoutMs });
    if (values.json) return printJson(answer);
    const kept = [...new Set(answer.results.map(({ keptTokens }) => keptTokens))].sort((x, y) => x - y);
    const lines = [`${answer.promptTokens} prompt tokens, ${kept.join(', ')} kept`];
    if (answer.full) lines.push(`full cache: ${JSON.stringify(answer.full.text)}`);
    for (const [first, result] of answer.results.entries()) {
      if (result.sameAs !== undefined) continue;
      const alike = actions.filter((_, i) => i === first || answer.results[i]?.sameAs === first);
      lines.push(`${alike.map(actionText).join(' ')}: ${JSON.stringify(result.text)}`);
    }
    process.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    client.close();
  }
}
