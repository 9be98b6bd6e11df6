import { isA2sfError, A2sfError } from '@a2sf/errors';
import type { Encoded, EncodeInput, SentenceEncoderInfo } from '@a2sf/inference';
import { embeddingKey } from './embedding-key.js';
import type { Encoder } from './encoder.js';
import { LeastRecentlyUsed } from './least-recently-used.js';

/** What keeping one embedding costs beside its numbers: key, map entry, typed array and object headers. */
const entryBytes = 512;

export interface CachingOptions {
  /** Most bytes of embeddings that are kept. */
  readonly maxBytes: number;
  /** Told of every request: texts found, texts that another request or input computes, texts to compute; bytes kept. */
  readonly onLookup?: (found: { readonly hit: number; readonly shared: number; readonly miss: number }) => void;
  readonly onBytes?: (bytes: number) => void;
}

/** Texts that one request computes, for all requests that wait for one of them; given up when the last one has left. */
class Computation {
  readonly #controller = new AbortController();
  #waiting = 0;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  join(): void {
    this.#waiting++;
  }

  leave(): void {
    if (--this.#waiting === 0) this.#controller.abort(new A2sfError('CANCELLED', 'nobody waits for it any more'));
  }
}

interface Flight {
  readonly computation: Computation;
  readonly encoded: Promise<Encoded>;
}

/**
 * Keeps embeddings by the identity of the encoder and the hash of the input, and computes each only once: equal inputs of
 * one request, and of requests at the same time, share a computation. A request that is cancelled takes none from another;
 * one that fails makes those that shared its inputs compute them by themselves.
 */
export class CachingEncoder implements Encoder {
  readonly #kept: LeastRecentlyUsed<Encoded>;
  readonly #flights = new Map<string, Flight>();

  constructor(
    private readonly encoder: Encoder,
    private readonly options: CachingOptions,
  ) {
    this.#kept = new LeastRecentlyUsed(options.maxBytes);
  }

  get info(): SentenceEncoderInfo {
    return this.encoder.info;
  }

  async encode(inputs: readonly EncodeInput[], signal?: AbortSignal): Promise<readonly Encoded[]> {
    signal?.throwIfAborted();
    const keys = inputs.map((input) => embeddingKey(this.info.encoderId, input));
    const first = new Map<string, number>(); // where each distinct input stands
    keys.forEach((key, i) => first.has(key) || first.set(key, i));
    const found = new Map<string, Encoded>();
    let missing = [...first.keys()].filter((key) => {
      const kept = this.#kept.get(key);
      if (kept !== undefined) found.set(key, kept);
      return kept === undefined;
    });
    const miss = missing.filter((key) => !this.#flights.has(key)).length;
    const hit = keys.filter((key) => found.has(key)).length;
    this.options.onLookup?.({ hit, miss, shared: keys.length - hit - miss });
    while (missing.length > 0) {
      await this.#obtain(missing, first, inputs, found, signal);
      missing = missing.filter((key) => !found.has(key)); // those whose other request failed
    }
    return keys.map((key) => found.get(key)!);
  }

  /** Waits for the missing ones that are computed already and computes the others. Throws only for its own. */
  async #obtain(
    missing: readonly string[],
    first: ReadonlyMap<string, number>,
    inputs: readonly EncodeInput[],
    found: Map<string, Encoded>,
    signal?: AbortSignal,
  ): Promise<void> {
    const own = missing.filter((key) => !this.#flights.has(key));
    const positions = own.map((key) => first.get(key)!);
    const shared = missing.filter((key) => this.#flights.has(key));
    const flights = shared.map((key) => this.#flights.get(key)!);
    const computing = this.#start(
      own,
      positions.map((i) => inputs[i]!),
    );
    const computations = new Set([...flights, ...computing].map(({ computation }) => computation));
    for (const computation of computations) computation.join();
    const settled = (async () => {
      const [, encoded] = await Promise.all([
        Promise.all(
          flights.map(async (flight, i) => {
            const other = await flight.encoded.catch(() => undefined);
            if (other !== undefined) found.set(shared[i]!, other);
          }),
        ),
        Promise.all(computing.map(async (flight) => flight.encoded)),
      ]);
      encoded.forEach((embedding, i) => found.set(own[i]!, embedding));
    })();
    try {
      await untilAborted(settled, signal);
    } catch (error) {
      throw renumbered(error, positions);
    } finally {
      for (const computation of computations) computation.leave();
    }
  }

  #start(keys: readonly string[], inputs: readonly EncodeInput[]): readonly Flight[] {
    if (keys.length === 0) return [];
    const computation = new Computation();
    const all = this.encoder.encode(inputs, computation.signal);
    const flights = keys.map((key, i): Flight => {
      const encoded = all.then((embeddings) => embeddings[i]!);
      const flight = { computation, encoded };
      this.#flights.set(key, flight);
      return flight;
    });
    const land = (): void => {
      for (const key of keys) if (this.#flights.get(key)?.computation === computation) this.#flights.delete(key);
    };
    all.then(
      (embeddings) => {
        land();
        keys.forEach((key, i) => this.#keep(key, embeddings[i]!));
      },
      () => land(), // told by the flights
    );
    return flights;
  }

  #keep(key: string, embedding: Encoded): void {
    this.#kept.set(key, embedding, embedding.values.buffer.byteLength + entryBytes);
    this.options.onBytes?.(this.#kept.bytes);
  }
}

/** The promise, or the reason of the signal if that comes first. */
async function untilAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** An error about `inputs[j]` as one about `inputs[positions[j]]`. */
function renumbered(error: unknown, positions: readonly number[]): unknown {
  if (!isA2sfError(error)) return error;
  const { code, reason, retryAfterMs } = error;
  const rename = (words: string): string =>
    words.replace(/^inputs\[(\d+)\]/, (_, j: string) => `inputs[${positions[Number(j)] ?? j}]`);
  const message = rename(error.message);
  if (message === error.message) return error;
  const field = rename(error.field ?? '');
  return new A2sfError(code, message, {
    field,
    reason,
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
