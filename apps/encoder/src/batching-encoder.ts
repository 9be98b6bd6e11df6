import { A2sfError } from '@a2sf/errors';
import type { Encoded, EncodeInput, SentenceEncoderInfo } from '@a2sf/inference';
import type { Encoder } from './encoder.js';

/**
 * Most characters of requests that are joined; a longer request runs alone. Long texts gain nothing by running together,
 * and a text whose caller left cannot be taken out of a run that has begun.
 */
const maxJoinedCharacters = 16_384;
/** A token id counts as so many characters. */
const charactersPerToken = 4;

export interface BatchingOptions {
  /** How long the first request to an idle model waits for others, in ms; with 0 for those that have arrived already. */
  readonly windowMs: number;
  /** Most texts of requests that are joined. */
  readonly maxTexts: number;
  /** Requests that may wait or run; one more is refused. */
  readonly maxQueue: number;
}

interface Ticket {
  readonly inputs: readonly EncodeInput[];
  readonly characters: number;
  readonly resolve: (encoded: readonly Encoded[]) => void;
  readonly reject: (error: unknown) => void;
  /** Set once its caller has its answer, an error, or has left. */
  closed: boolean;
  readonly onClose: () => void;
  /** Tells the run that this one is in, if there is one, that its caller has left. */
  onLeave: () => void;
}

/**
 * Joins requests that come at the same time, so that their texts of equal length can run together: what arrives within a
 * window while the model is idle, and what waits while it is busy. Each request has its own part of the answer, in its
 * order. When joined requests fail, each is run alone, so that an error meets only the request that it is about.
 */
export class BatchingEncoder implements Encoder {
  readonly #waiting: Ticket[] = [];
  #open = 0;
  /** A run is going on or will begin by itself. */
  #scheduled = false;

  constructor(
    private readonly encoder: Encoder,
    private readonly options: BatchingOptions,
  ) {}

  get info(): SentenceEncoderInfo {
    return this.encoder.info;
  }

  async encode(inputs: readonly EncodeInput[], signal?: AbortSignal): Promise<readonly Encoded[]> {
    signal?.throwIfAborted();
    const { maxQueue } = this.options;
    if (this.#open >= maxQueue) {
      const message = `the queue is full: ${maxQueue} calls are waiting or running; try again later`;
      throw new A2sfError('RESOURCE_EXHAUSTED', message, { reason: 'queue-full' });
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#close(ticket, () => reject(signal?.reason));
        ticket.onLeave();
      };
      const ticket: Ticket = {
        inputs,
        characters: lengthOf(inputs),
        resolve,
        reject,
        closed: false,
        onClose: () => signal?.removeEventListener('abort', onAbort),
        onLeave: () => {},
      };
      this.#open++;
      this.#waiting.push(ticket);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#schedule();
    });
  }

  #close(ticket: Ticket, tell: () => void): void {
    if (ticket.closed) return;
    ticket.closed = true;
    this.#open--;
    const at = this.#waiting.indexOf(ticket);
    if (at >= 0) this.#waiting.splice(at, 1);
    ticket.onClose();
    tell();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const { windowMs } = this.options;
    if (windowMs > 0) setTimeout(() => void this.#run(), windowMs);
    else setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#serve(this.#take());
    this.#scheduled = false;
  }

  /** The longest waiting request and those behind it that fit beside it. */
  #take(): Ticket[] {
    let texts = 0;
    let characters = 0;
    const end = this.#waiting.findIndex((ticket) => {
      texts += ticket.inputs.length;
      characters += ticket.characters;
      return texts > this.options.maxTexts || characters > maxJoinedCharacters;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end));
  }

  async #serve(tickets: readonly Ticket[]): Promise<void> {
    const wanted = tickets.filter(({ closed }) => !closed);
    if (wanted.length === 0) return;
    const controller = new AbortController();
    for (const ticket of wanted) {
      ticket.onLeave = () => {
        if (wanted.every(({ closed }) => closed)) controller.abort(new A2sfError('CANCELLED', 'all callers have left'));
      };
    }
    try {
      const encoded = await this.encoder.encode(
        wanted.flatMap(({ inputs }) => inputs),
        controller.signal,
      );
      let start = 0;
      for (const ticket of wanted) {
        const own = encoded.slice(start, (start += ticket.inputs.length));
        this.#close(ticket, () => ticket.resolve(own));
      }
    } catch (error) {
      if (wanted.length === 1) this.#close(wanted[0]!, () => wanted[0]!.reject(error));
      else for (const ticket of wanted) await this.#serve([ticket]);
    }
  }
}

function lengthOf(inputs: readonly EncodeInput[]): number {
  return inputs.reduce(
    (sum, input) => sum + ('text' in input ? input.text.length : charactersPerToken * input.ids.length),
    0,
  );
}
