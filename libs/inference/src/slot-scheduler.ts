import { cacheBytes, KvCache } from './kv-cache.js';
import { decodeStep, type StepModel } from './decode-step.js';
import type { Turns } from './turns.js';

/** A text to be decoded in a slot. */
export interface SequenceRequest {
  /** Keys that the slot must have room for: those that are filled in and those of the new tokens. */
  readonly capacity: number;
  /** Copies the prompt's keys into the slot. */
  readonly fill: (cache: KvCache, row: number) => void;
  /** The token that the prefill chose. */
  readonly first: number;
  /** The position of the first new token. New tokens go on from the prompt's length, whatever was kept. */
  readonly position: number;
  readonly maxNewTokens: number;
  /** Tokens that end the text; they are part of the result. */
  readonly endTokens: ReadonlySet<number>;
  readonly checkCancelled: () => void;
  /** Told of each new token as it comes; answering false ends the text. */
  readonly onToken?: (token: number) => boolean;
  /** Draws the next token from its logits [V]; absent: the most probable one, the lowest id on ties. */
  readonly draw?: (logits: Float32Array) => number;
}

/** A text on its way. */
export interface StartedSequence {
  /** Settles when the prompt's keys have been copied: the source may then be used for something else. */
  readonly placed: Promise<void>;
  /** The new tokens. Rejects when the call is cancelled or the model fails. */
  readonly done: Promise<readonly number[]>;
}

export interface SlotLimits {
  /** Texts that are decoded at the same time. */
  readonly slots: number;
  /** Bytes that the slots may take; one slot is always allowed. */
  readonly slotBytes: number;
}

interface Sequence {
  readonly request: SequenceRequest;
  readonly tokens: number[];
  readonly placed: Settle<void>;
  readonly done: Settle<readonly number[]>;
}

/** Slots of one capacity; the first `sequences.length` rows are in use. */
interface SlotPool {
  cache: KvCache;
  readonly sequences: Sequence[];
}

/**
 * Continuous batching: texts join and leave between steps. Every step decodes one token of all texts whose slots have the
 * same capacity, whatever prompt, action or caller they belong to; a text that finds no slot free waits in line.
 */
export class SlotScheduler {
  private readonly pools = new Map<number, SlotPool>();
  private readonly waiting: Sequence[] = [];
  private running = false;

  constructor(
    private readonly model: StepModel,
    private readonly turns: Turns,
    private readonly limits: SlotLimits,
    /** Told whenever the number of slots in use changes. */
    private readonly onInUse: (slots: number) => void = () => {},
  ) {}

  /** Slots in use. */
  get inUse(): number {
    let sum = 0;
    for (const pool of this.pools.values()) sum += pool.sequences.length;
    return sum;
  }

  /** Starts texts, all of which join the same step when there is room. */
  start(requests: readonly SequenceRequest[]): StartedSequence[] {
    const started = requests.map((request) => {
      const sequence: Sequence = { request, tokens: [], placed: settle(), done: settle() };
      if (accept(sequence, request.first)) this.waiting.push(sequence);
      else {
        sequence.placed.resolve();
        sequence.done.resolve(sequence.tokens);
      }
      return { placed: sequence.placed.promise, done: sequence.done.promise };
    });
    this.admit();
    void this.run();
    return started;
  }

  /** Moves waiting texts into free slots, first come first served. */
  private admit(): void {
    while (this.waiting.length > 0) {
      const { request } = this.waiting[0]!;
      const wanted = this.waiting.filter(
        (other) => slotCapacity(other.request.capacity) === slotCapacity(request.capacity),
      );
      const pool = this.poolWithRoom(slotCapacity(request.capacity), wanted.length);
      if (pool === undefined) break;
      const sequence = this.waiting.shift()!;
      request.fill(pool.cache, pool.sequences.length);
      pool.sequences.push(sequence);
      sequence.placed.resolve();
    }
    this.onInUse(this.inUse);
  }

  /** The pool of a capacity with at least one free row; made or enlarged towards `wanted` rows more within the limits. */
  private poolWithRoom(capacity: number, wanted: number): SlotPool | undefined {
    const { shape } = this.model;
    if (this.inUse >= this.limits.slots) return undefined;
    const pool = this.pools.get(capacity);
    const used = pool?.sequences.length ?? 0;
    if (pool !== undefined && used < pool.cache.rows) return pool;
    const perRow = cacheBytes(shape, capacity);
    const others = [...this.pools].filter(([other]) => other !== capacity);
    const busy = others.reduce(
      (sum, [, other]) =>
        sum + (other.sequences.length === 0 ? 0 : cacheBytes(shape, other.cache.capacity) * other.cache.rows),
      0,
    );
    const affordable = Math.floor((this.limits.slotBytes - busy) / perRow);
    const target = Math.max(
      used + Math.min(wanted, this.limits.slots - this.inUse),
      Math.min(2 * used, this.limits.slots),
    );
    const rows = Math.min(affordable, target);
    if (rows <= used && this.inUse > 0) return undefined;
    for (const [other, { sequences }] of others) if (sequences.length === 0) this.pools.delete(other);
    const cache = new KvCache(shape, Math.max(rows, 1), capacity);
    for (let row = 0; row < used; row++) cache.gather(row, pool!.cache, undefined, row);
    if (pool !== undefined) {
      pool.cache = cache;
      return pool;
    }
    const made = { cache, sequences: [] };
    this.pools.set(capacity, made);
    return made;
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    while (this.inUse > 0) {
      for (const pool of this.pools.values()) {
        if (pool.sequences.length > 0) await this.turns.take(() => this.step(pool));
      }
    }
    this.running = false;
  }

  private async step(pool: SlotPool): Promise<void> {
    const { sequences } = pool;
    for (let row = sequences.length - 1; row >= 0; row--) {
      try {
        sequences[row]!.request.checkCancelled();
      } catch (error) {
        this.leave(pool, row).done.reject(error);
      }
    }
    this.dropCancelledWaiting();
    if (sequences.length > 0) {
      try {
        const next = await decodeStep(
          this.model,
          pool.cache,
          sequences.map(({ request, tokens }) => ({
            token: tokens.at(-1)!,
            position: request.position + tokens.length - 1,
            draw: request.draw,
          })),
        );
        for (let row = next.length - 1; row >= 0; row--) {
          const sequence = sequences[row]!;
          if (!accept(sequence, next[row]!)) this.leave(pool, row).done.resolve(sequence.tokens);
        }
      } catch (cause) {
        while (sequences.length > 0) this.leave(pool, sequences.length - 1).done.reject(cause);
      }
    }
    this.admit();
  }

  private dropCancelledWaiting(): void {
    for (let i = this.waiting.length - 1; i >= 0; i--) {
      const sequence = this.waiting[i]!;
      try {
        sequence.request.checkCancelled();
      } catch (error) {
        this.waiting.splice(i, 1);
        sequence.placed.reject(error);
        sequence.done.reject(error);
      }
    }
  }

  /** Frees a row; the last row takes its place, so that rows in use stay at the front. */
  private leave({ cache, sequences }: SlotPool, row: number): Sequence {
    const last = sequences.length - 1;
    const sequence = sequences[row]!;
    if (row !== last) {
      cache.gather(row, cache, undefined, last);
      sequences[row] = sequences[last]!;
    }
    sequences.pop();
    return sequence;
  }
}

/** Capacities are rounded up so that texts of similar length share a pool: to a multiple of an eighth of the next lower power of two. */
export function slotCapacity(keys: number): number {
  const grain = Math.max(16, (2 ** Math.floor(Math.log2(keys))) >> 3);
  return Math.ceil(keys / grain) * grain;
}

/** Takes a new token; false when the text ends with it. */
function accept({ request, tokens }: Sequence, token: number): boolean {
  tokens.push(token);
  const goesOn = request.onToken?.(token) ?? true;
  return goesOn && !request.endTokens.has(token) && tokens.length < request.maxNewTokens;
}

interface Settle<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

function settle<T>(): Settle<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => ([resolve, reject] = [onResolve, onReject]));
  promise.catch(() => {}); // a caller that waits for `placed` first must not make `done` an unhandled rejection
  return { promise, resolve, reject };
}
