// Asks a running suite from Node: select an action for a prompt, generate with it. Nothing of the suite but its protos.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const { values: flags } = parseArgs({
  options: {
    policy: { type: 'string', default: '127.0.0.1:50054' },
    generator: { type: 'string', default: '127.0.0.1:50052' },
    budget: { type: 'string', default: '64' }, // keys kept per layer and KV head
    prompt_file: { type: 'string' }, // default: standard input
  },
});

const protos = fileURLToPath(new URL('../../protos', import.meta.url));
const { a2sf } = grpc.loadPackageDefinition(
  loadSync(['a2sf/policy/v1/policy.proto', 'a2sf/generator/v1/generator.proto'], {
    includeDirs: [protos],
    defaults: true, // what is zero is there: the action a = 0
    longs: String,
    enums: String,
  }),
);

// The calls are safe to repeat. Several servers behind one name (dns:///generator:50052) share the calls.
const options = {
  'grpc.service_config': JSON.stringify({
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: [
      {
        name: [{}],
        retryPolicy: {
          maxAttempts: 5,
          initialBackoff: '0.2s',
          maxBackoff: '5s',
          backoffMultiplier: 3,
          retryableStatusCodes: ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'], // the server says when to try again
        },
      },
    ],
  }),
};
const plaintext = grpc.credentials.createInsecure();
const policy = new a2sf.policy.v1.PolicyService(flags.policy, plaintext, options);
const generator = new a2sf.generator.v1.GeneratorService(flags.generator, plaintext, options);

/** A call waits for a server that is just restarting, until its deadline. */
const metadata = () => new grpc.Metadata({ waitForReady: true });
const within = (seconds) => ({ deadline: Date.now() + 1000 * seconds });

function selectAction(text) {
  return new Promise((resolve, reject) => {
    const answered = (error, choice) => (error === null ? resolve(choice) : reject(error));
    policy.SelectAction({ text }, metadata(), within(30), answered);
  });
}

/** Prints the text as it comes; the last message tells what it cost. Without compression from the full cache. */
async function generate(text, compression) {
  let usage;
  const stream = generator.Generate({ prompt: { text }, compression }, metadata(), within(120));
  for await (const message of stream) {
    process.stdout.write(message.text);
    usage = message.usage ?? usage;
  }
  const { keptTokens, promptTokens, cacheBytes, fullCacheBytes } = usage;
  console.log(`\n  kept ${keptTokens} of ${promptTokens} keys per head, ${cacheBytes} of ${fullCacheBytes} bytes`);
}

try {
  const text = await readFile(flags.prompt_file ?? 0, 'utf8');
  const { action, predictedReward, useFullCache } = await selectAction(text);
  console.log(`action: a=${action.a} b=${action.b}, predicted reward ${predictedReward.toFixed(3)}`);
  console.log('full cache:');
  await generate(text);
  console.log('compressed cache:');
  await generate(text, useFullCache ? undefined : { action, budget: Number(flags.budget) });
} catch (error) {
  if (error.metadata === undefined) throw error;
  const [reason = 'no reason given'] = error.metadata.get('a2sf-reason');
  console.error(`${grpc.status[error.code]}: ${error.details} (${reason})`);
  process.exitCode = 1;
} finally {
  policy.close();
  generator.close();
}
