import { EncoderServiceClient, GeneratorServiceClient } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { callUnary, connect } from '@a2sf/grpc-runtime';
import type { Services } from './dataset-services.js';

/** Who reads the prompts and who writes the texts. Throws FAILED_PRECONDITION when the generators serve different models. */
export async function serviceIdentities(
  { generators, encoder, security }: Services,
  signal: AbortSignal,
): Promise<{ readonly modelId: string; readonly encoderId: string }> {
  const call = { timeoutMs: 60_000, signal };
  const encoderClient = connect(EncoderServiceClient, encoder, { security });
  const clients = generators.map((address) => connect(GeneratorServiceClient, address, { security }));
  try {
    const { encoderId } = await callUnary(encoderClient, 'getInfo', {}, call);
    const infos = await Promise.all(clients.map((client) => callUnary(client, 'getInfo', {}, call)));
    const models = [...new Set(infos.map(({ modelId }) => modelId))];
    if (models.length === 1) return { modelId: models[0]!, encoderId };
    const message = `generators: they serve different models, ${models.join(' and ')}`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'generators', reason: 'different-models' });
  } finally {
    for (const client of [encoderClient, ...clients]) client.close();
  }
}
