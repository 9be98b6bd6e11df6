import type { EncodeRequestOutput, PromptOutput } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import type { EncodeInput } from '@a2sf/inference';

/** What requests may ask for. */
export interface RequestLimits {
  readonly maxBatch: number;
  readonly maxPromptBytes: number;
}

/**
 * Checks an EncodeRequest and turns it into the engine's inputs. INVALID_ARGUMENT: no inputs, too many, one without a
 * source; RESOURCE_EXHAUSTED: a text over its limit. Whether ids are in the vocabulary is the engine's to say, and how many
 * a message may hold the server's.
 */
export function readEncode({ inputs }: EncodeRequestOutput, limits: RequestLimits): EncodeInput[] {
  if (inputs.length === 0 || inputs.length > limits.maxBatch) {
    throw A2sfError.invalid('inputs', `must have 1..${limits.maxBatch} prompts, has ${inputs.length}`);
  }
  return inputs.map((prompt, i) => readPrompt(prompt, `inputs[${i}]`, limits));
}

function readPrompt(prompt: PromptOutput, field: string, { maxPromptBytes }: RequestLimits): EncodeInput {
  const { source, text = '', tokenIds } = prompt;
  if (source === undefined) throw A2sfError.invalid(field, 'needs text or token_ids');
  if (source === 'tokenIds') return { ids: tokenIds?.ids ?? [] };
  const bytes = Buffer.byteLength(text);
  if (bytes > maxPromptBytes) {
    const message = `${field}.text: ${bytes} bytes are over the limit of ${maxPromptBytes}`;
    throw new A2sfError('RESOURCE_EXHAUSTED', message, { field: `${field}.text`, reason: 'prompt-too-long' });
  }
  return { text };
}
