import type { Encoded, EncodeInput, SentenceEncoderInfo } from '@a2sf/inference';
import { A2sfError } from '@a2sf/errors';
import type { Encoder } from './encoder.js';

/**
 * An encoder whose calls end when the test says so: a text's vector is its length and first character, a blank one's zero. A text that begins
 * with `bad` is refused.
 */
export class FakeEncoder implements Encoder {
  readonly info: SentenceEncoderInfo = {
    model: 'fake',
    encoderId: 'fake@0',
    family: 'fake',
    dimension: 2,
    maxTokens: 100,
    vocab: 100,
    pooling: 'cls',
    normalised: false,
    device: 'cpu',
    hasTokenizer: true,
  };
  /** The texts of every call, and how many of them were given up. */
  readonly calls: string[][] = [];
  aborted = 0;
  readonly #ends: (() => void)[] = [];

  /** @param held whether calls wait for `release`. */
  constructor(private readonly held = false) {}

  async encode(inputs: readonly EncodeInput[], signal?: AbortSignal): Promise<Encoded[]> {
    const texts = inputs.map((input) => ('text' in input ? input.text : input.ids.join()));
    this.calls.push(texts);
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.aborted++;
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const end = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      if (this.held) this.#ends.push(end);
      else setImmediate(end);
    });
    const bad = texts.findIndex((text) => text.startsWith('bad'));
    if (bad >= 0) throw A2sfError.invalid(`inputs[${bad}].text`, texts[bad]!);
    return texts.map((text) => this.vector(text));
  }

  vector(text: string): Encoded {
    const empty = text.trim() === '';
    const values = empty ? new Float32Array(2) : Float32Array.of(text.length, text.codePointAt(0)!);
    return { values, tokens: empty ? 0 : text.length, truncated: false, empty };
  }

  /** Ends the oldest call that is held. */
  release(): void {
    this.#ends.shift()?.();
  }
}

export const textsOf = (...texts: string[]): EncodeInput[] => texts.map((text) => ({ text }));
