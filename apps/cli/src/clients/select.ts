import { boolean, number, option, resolveOptions } from '@a2sf/config';
import { PolicyServiceClient } from '@a2sf/contracts';
import { callUnary, ClientSecurity, connect } from '@a2sf/grpc-runtime';
import { actionText, clientOptions, printJson, promptText } from './client-options.js';

const options = {
  ...clientOptions('127.0.0.1:50054'),
  explore: option({ schema: boolean, description: 'add the exploration bonus', default: false, group: 'Choice' }),
  beta: option({
    schema: number({ min: 0, max: 1e6 }),
    description: "weight of the bonus (default: the policy's)",
    group: 'Choice',
  }),
};

/** `a2sf select`: the action that a policy takes for a prompt; the policy needs an encoder for it. */
export async function select(argv: readonly string[]): Promise<void> {
  const command = { name: 'a2sf select', description: 'Asks a policy which action it takes for a prompt.' };
  const { values } = resolveOptions(command, options, argv);
  const { explore, beta, timeoutMs } = values;
  const text = await promptText(values);
  const client = connect(PolicyServiceClient, values.address, { security: ClientSecurity.of(values) });
  try {
    const request = { text, explore, ...(beta === undefined ? {} : { beta }) };
    const answer = await callUnary(client, 'selectAction', request, { timeoutMs });
    if (values.json) return printJson(answer);
    const { action, predictedReward, uncertainty, policyVersion, useFullCache, fullCacheReason } = answer;
    const grounds = `predicted reward ${predictedReward.toFixed(3)}, uncertainty ${uncertainty.toPrecision(3)}`;
    const why = fullCacheReason === 'FULL_CACHE_REASON_BELOW_FLOOR' ? 'below the floor' : 'the context is blank';
    const advice = useFullCache ? `; ${why}: use the full cache` : '';
    process.stdout.write(`${actionText(action)}  ${grounds}, policy version ${policyVersion}${advice}\n`);
  } finally {
    client.close();
  }
}
