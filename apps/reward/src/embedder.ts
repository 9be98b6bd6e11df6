import { A2sfError } from '@a2sf/errors';
import { SentenceEncoderHost, type SentenceEncoderOptions } from '@a2sf/inference';
import type { Logger } from '@a2sf/observability';

/** Turns texts into vectors. */
export interface TextEmbedder {
  /** Identity of the encoder; empty until it is loaded. */
  readonly encoderId: string;
  /** One vector per text, in their order. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]>;
}

/**
 * The sentence encoder, loaded when the first text is embedded: a reward server that is never asked for `cosine` holds no
 * model. A load that failed, and a worker that died, is tried again at the next call.
 */
export class LazyEmbedder implements TextEmbedder {
  #loading: Promise<SentenceEncoderHost> | undefined;
  #encoderId = '';

  constructor(
    private readonly options: SentenceEncoderOptions,
    private readonly log: Logger,
  ) {}

  get encoderId(): string {
    return this.#encoderId;
  }

  async embed(texts: readonly string[], signal: AbortSignal): Promise<readonly Float32Array[]> {
    this.#loading ??= this.#load();
    const encoder = await this.#loading;
    const encoded = await encoder.encode(
      texts.map((text) => ({ text })),
      signal,
    );
    return encoded.map(({ values }) => values);
  }

  /** Ends the encoder's worker, if there is one. */
  async dispose(): Promise<void> {
    const loading = this.#loading;
    this.#forget();
    await loading?.then(
      (encoder) => encoder.dispose(),
      () => undefined, // it never came up
    );
  }

  async #load(): Promise<SentenceEncoderHost> {
    try {
      const encoder = await SentenceEncoderHost.start(this.options, {
        onExit: (error) => {
          this.log.error({ err: error }, 'the encoder worker is gone');
          this.#forget();
        },
      });
      if (!encoder.info.hasTokenizer) {
        await encoder.dispose();
        const message = 'cosine: the encoder folder of --model_name has no tokenizer.json';
        throw new A2sfError('FAILED_PRECONDITION', message, { field: 'model_name', reason: 'no-tokenizer' });
      }
      this.#encoderId = encoder.info.encoderId;
      this.log.info(encoder.info, 'encoder loaded');
      return encoder;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#loading = undefined;
    this.#encoderId = '';
  }
}
