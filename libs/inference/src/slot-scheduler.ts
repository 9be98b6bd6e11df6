import { A2sfError } from '@a2sf/errors';
import { cacheBytes, KvCache } from './kv-cache.js';
import { SpareCaches } from './spare-caches.js';
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
  /** Bytes that the slots may take. */
  readonly slotBytes: number;
}

/** Pools that end until their memory is given up, unless as much was in use again. */
const rememberedPeaks = 32;

/** A slot that is set aside for a text whose prompt is not read yet. */
export interface SlotReservation {
  /** Gives it back; a second time does nothing. */
  release(): void;
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
 * Continuous batching: texts join and leave between steps. Every step decodes one token (or a few, where the model's graph
 * has a loop) of all texts whose slots have the same capacity, whatever prompt, action or caller they belong to; a text that finds no slot free waits in line. Slots in
 * use and reserved ones never take more than the limits; rows beyond them are given up when another capacity needs them.
 */
export class SlotScheduler {
  /** By capacity; none is empty between two steps. */
  private readonly pools = new Map<number, SlotPool>();
  private readonly spare = new SpareCaches();
  private readonly waiting: Sequence[] = [];
  private readonly reserved = new Set<{ readonly capacity: number }>();
  /** The most bytes that the pools' rows needed since a pool ended last, between that and the time before, and so on. */
  private readonly needed = [0];
  private running = false;
  /** A step reads and writes its pool's cache: no pool may change until it ends. */
  private stepping = false;

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

  /** Bytes of all slots, in use or kept for the next texts. */
  get bytes(): number {
    return [...this.pools.values()].reduce((sum, { cache }) => sum + cache.bytes, this.spare.bytes);
  }

  /**
   * Refuses a text that could not be decoded even alone.
   * @throws A2sfError RESOURCE_EXHAUSTED, reason `over-slot-bytes`.
   */
  mustFit(keys: number): void {
    const bytes = this.rowBytes(slotCapacity(keys));
    const { slotBytes } = this.limits;
    if (bytes <= slotBytes) return;
    const message = `prompt: its kept and new tokens, ${keys} together, need a slot of ${bytes} bytes, the limit is ${slotBytes} (--slot_bytes)`;
    throw new A2sfError('RESOURCE_EXHAUSTED', message, { field: 'prompt', reason: 'over-slot-bytes' });
  }

  /** Sets aside a slot for so many keys; undefined when there is none now. Throws when there can never be one. */
  reserve(keys: number): SlotReservation | undefined {
    this.mustFit(keys);
    const capacity = slotCapacity(keys);
    if (!this.hasRoom(capacity)) return undefined;
    const reservation = { capacity };
    this.reserved.add(reservation);
    return {
      release: () => {
        if (!this.reserved.delete(reservation)) return;
        this.admit();
        void this.run();
      },
    };
  }

  /**
   * Starts texts, all of which join the same step when there is room.
   * @param reservation the slot that was set aside for one of them.
   */
  start(requests: readonly SequenceRequest[], reservation?: SlotReservation): StartedSequence[] {
    for (const { capacity } of requests) this.mustFit(capacity);
    const started = requests.map((request) => {
      const sequence: Sequence = { request, tokens: [], placed: settle(), done: settle() };
      if (accept(sequence, request.first)) this.waiting.push(sequence);
      else {
        sequence.placed.resolve();
        sequence.done.resolve(sequence.tokens);
      }
      return { placed: sequence.placed.promise, done: sequence.done.promise };
    });
    reservation?.release();
    this.admit();
    void this.run();
    return started;
  }

  /** Moves waiting texts into free slots, first come first served; those that do not fit let others go ahead. */
  private admit(): void {
    if (this.stepping) return;
    const full = new Set<number>();
    for (let i = 0; i < this.waiting.length;) {
      const sequence = this.waiting[i]!;
      const capacity = slotCapacity(sequence.request.capacity);
      const wanted = this.waiting.filter(({ request }) => slotCapacity(request.capacity) === capacity).length;
      const pool = full.has(capacity) ? undefined : this.poolWithRoom(capacity, wanted);
      if (pool === undefined) {
        full.add(capacity);
        i++;
        continue;
      }
      this.waiting.splice(i, 1);
      sequence.request.fill(pool.cache, pool.sequences.length);
      pool.sequences.push(sequence);
      sequence.placed.resolve();
    }
    this.onInUse(this.inUse);
  }

  private rowBytes(capacity: number): number {
    return cacheBytes(this.model.shape, capacity);
  }

  private get reservedBytes(): number {
    return [...this.reserved].reduce((sum, { capacity }) => sum + this.rowBytes(capacity), 0);
  }

  /** Whether one slot more stays within the limits, counting those in use and reserved. */
  private hasRoom(capacity: number): boolean {
    if (this.inUse + this.reserved.size >= this.limits.slots) return false;
    let bytes = this.reservedBytes + this.rowBytes(capacity);
    for (const [other, { sequences }] of this.pools) bytes += sequences.length * this.rowBytes(other);
    return bytes <= this.limits.slotBytes;
  }

  /** The pool of a capacity with at least one free row; made or enlarged towards `wanted` rows more within the limits. */
  private poolWithRoom(capacity: number, wanted: number): SlotPool | undefined {
    if (!this.hasRoom(capacity)) return undefined;
    const pool = this.pools.get(capacity);
    const used = pool?.sequences.length ?? 0;
    if (pool !== undefined && used < pool.cache.rows) return pool;
    const free = this.limits.slots - this.inUse - this.reserved.size;
    const target = Math.max(used + Math.min(wanted, free), Math.min(2 * used, this.limits.slots));
    if (this.affordable(capacity) < this.rowBytes(capacity) * (used + 1)) {
      for (const other of this.pools.values()) if (other.cache.capacity !== capacity) this.trim(other);
    }
    const most = this.affordable(capacity);
    const rows = Math.min(Math.floor(most / this.rowBytes(capacity)), target);
    return this.resize(pool ?? { cache: new KvCache(this.model.shape, 0, capacity), sequences: [] }, rows, most);
  }

  /** Bytes that the pool of a capacity may take beside all others. */
  private affordable(capacity: number): number {
    let bytes = this.limits.slotBytes - this.reservedBytes;
    for (const [other, { cache }] of this.pools) if (other !== capacity) bytes -= cache.bytes;
    return bytes;
  }

  /** Gives up what a pool does not use. */
  private trim(pool: SlotPool): void {
    const rows = pool.sequences.length;
    const bytes = rows * this.rowBytes(pool.cache.capacity);
    if (bytes < pool.cache.bytes) this.resize(pool, rows, bytes);
  }

  /** Gives a pool another number of rows, in at most `most` bytes; those in use stay. */
  private resize(pool: SlotPool, rows: number, most: number): SlotPool {
    const { cache: before, sequences } = pool;
    const { capacity, shape } = before;
    const bytes = rows * this.rowBytes(capacity);
    this.limitSpare(bytes);
    pool.cache = new KvCache(shape, rows, capacity, this.spare.take(bytes, most));
    for (let row = 0; row < sequences.length; row++) pool.cache.gather(row, before, undefined, row);
    this.pools.set(capacity, pool);
    this.needed[0] = Math.max(this.needed[0]!, this.neededBytes);
    this.spare.give(before);
    this.limitSpare();
    return pool;
  }

  /**
   * What is spare must leave room for all pools, what is reserved, and `more` bytes; with the pools it takes no more than the
   * pools' rows needed together of late, so that a rare crowd does not hold its memory for good.
   */
  private limitSpare(more = 0): void {
    const room = Math.min(this.limits.slotBytes - this.reservedBytes - more, Math.max(...this.needed));
    this.spare.limit(Math.max(0, room - (this.bytes - this.spare.bytes)));
  }

  /** Bytes of all rows that pools have, in use or not; their memory may be larger. */
  private get neededBytes(): number {
    return [...this.pools.values()].reduce((sum, { cache }) => sum + cache.rows * this.rowBytes(cache.capacity), 0);
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
        this.stepping = true;
        const next = await decodeStep(
          this.model,
          pool.cache,
          sequences.map(({ request, tokens }) => ({
            token: tokens.at(-1)!,
            position: request.position + tokens.length - 1,
            draw: request.draw,
          })),
          Math.min(...sequences.map(({ request, tokens }) => request.maxNewTokens - tokens.length)),
        ).finally(() => (this.stepping = false));
        for (let row = next.length - 1; row >= 0; row--) {
          const sequence = sequences[row]!;
          const goesOn = next[row]!.every((token) => accept(sequence, token)); // what comes after the end is dropped
          if (!goesOn) this.leave(pool, row).done.resolve(sequence.tokens);
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

  /** Frees a row; the last row takes its place, so that rows in use stay at the front. A pool ends with its last text. */
  private leave({ cache, sequences }: SlotPool, row: number): Sequence {
    const last = sequences.length - 1;
    const sequence = sequences[row]!;
    if (row !== last) {
      cache.gather(row, cache, undefined, last);
      sequences[row] = sequences[last]!;
    }
    sequences.pop();
    if (sequences.length === 0) {
      this.pools.delete(cache.capacity);
      this.spare.give(cache);
      this.needed.unshift(this.neededBytes);
      this.needed.splice(rememberedPeaks);
      this.limitSpare();
    }
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
