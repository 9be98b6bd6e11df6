import { FairLine, type InLine } from './fair-line.js';
import { cacheBytes, KvCache, type CacheShape } from './kv-cache.js';
import { slotCapacity, type SlotReservation } from './slot-scheduler.js';

/** A larger buffer than this is given back after use: keeping it saves some milliseconds of page faults only. */
const keptBytes = 256 * 2 ** 20;

/** Keys that the buffer has room for at least. */
const leastKeys = 256;

/** How a prompt waits for the buffer. */
export interface PrefillTurn {
  /** Clients take turns; absent: one that all such prompts share. */
  readonly client?: string | undefined;
  /** Throws when the caller has given up: the prompt then leaves the line. */
  readonly checkCancelled?: () => void;
  /** Sets aside the slot that the prompt's text needs, before it is read; undefined: there is none now, others may go ahead. */
  readonly reserve?: () => SlotReservation | undefined;
}

interface Waiting extends InLine {
  readonly turn: PrefillTurn;
  readonly start: (reservation: SlotReservation | undefined) => Promise<void>;
  readonly reject: (error: unknown) => void;
}

/** Keys and values of the one prompt that is being read; prompts wait for it in a line that is fair between clients. */
export class PrefillBuffer {
  private readonly line = new FairLine<Waiting>();
  private cache: KvCache | undefined;
  private busy = false;

  constructor(private readonly shape: CacheShape) {}

  /**
   * Runs `work` with an empty cache for n keys when its turn comes. What was reserved for it is given back at its end, as
   * far as `work` did not use it.
   */
  use<T>(
    n: number,
    work: (cache: KvCache, reservation: SlotReservation | undefined) => Promise<T>,
    turn: PrefillTurn = {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const start = (reservation: SlotReservation | undefined): Promise<void> =>
        this.run(n, (cache) => work(cache, reservation)).then(resolve, reject);
      this.line.join({ client: turn.client ?? '', turn, start, reject });
      this.next();
    });
  }

  /** Starts the next prompt if it can; to be called whenever slots may have become free. */
  next(): void {
    this.line.drop(hasLeft);
    if (this.busy) return;
    let reservation: SlotReservation | undefined;
    const next = this.line.take(({ turn }) => {
      if (turn.reserve === undefined) return true;
      reservation = turn.reserve();
      return reservation !== undefined;
    });
    if (next === undefined) return;
    this.busy = true;
    void next.start(reservation).finally(() => {
      this.busy = false;
      reservation?.release();
      this.next();
    });
  }

  private async run<T>(n: number, work: (cache: KvCache) => Promise<T>): Promise<T> {
    if (this.cache === undefined || this.cache.capacity < n) this.cache = new KvCache(this.shape, 1, capacityFor(n));
    this.cache.clear();
    try {
      return await work(this.cache);
    } finally {
      if (cacheBytes(this.shape, this.cache.capacity) > keptBytes) this.cache = undefined;
    }
  }
}

/** Room for a few more keys than asked for, so that prompts a little longer each time do not each make a buffer. */
const capacityFor = (n: number): number => Math.max(leastKeys, slotCapacity(n));

function hasLeft({ turn, reject }: Waiting): boolean {
  try {
    turn.checkCancelled?.();
    return false;
  } catch (error) {
    reject(error);
    return true;
  }
}
