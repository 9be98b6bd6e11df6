import { EncoderServiceClient, type EmbeddingOutput, type EncoderServiceStub } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { callUnary, connect, type CallOptions, type ClientSecurity } from '@a2sf/grpc-runtime';

/** Texts of one request; a small part of what an encoder takes at least. */
const textsPerCall = 16;

/** The encoder that the policy asks for the embeddings of texts. */
export class TextEncoder {
  readonly #client: EncoderServiceStub;

  constructor(address: string, maxMessageBytes: number, security: ClientSecurity) {
    this.#client = connect(EncoderServiceClient, address, { maxMessageBytes, security });
  }

  /** One embedding per text, in order. Errors are the encoder's; UNAVAILABLE when it cannot be reached. */
  async encode(texts: readonly string[], o: CallOptions): Promise<EmbeddingOutput[]> {
    const embeddings: EmbeddingOutput[] = [];
    for (let at = 0; at < texts.length; at += textsPerCall) {
      const inputs = texts.slice(at, at + textsPerCall).map((text) => ({ text }));
      const response = await callUnary(this.#client, 'encode', { inputs }, o);
      if (response.embeddings.length !== inputs.length) {
        const problem = `answered ${response.embeddings.length} embeddings for ${inputs.length} texts`;
        throw new A2sfError('INTERNAL', `the encoder ${problem}`, { reason: 'bad-encoder' });
      }
      embeddings.push(...response.embeddings);
    }
    return embeddings;
  }

  close(): void {
    this.#client.close();
  }
}
