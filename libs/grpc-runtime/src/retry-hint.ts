import type { A2sfError } from '@a2sf/errors';

/**
 * Trailer that tells a client when to try again, in ms; a negative number: not at all (gRFC A6). A grpc client whose retry
 * policy has RESOURCE_EXHAUSTED heeds it by itself.
 */
export const pushbackKey = 'grpc-retry-pushback-ms';

/** Refusals that pass by themselves. */
const overloads: ReadonlySet<string> = new Set(['queue-full', 'too-many-calls']);

const remembered = 31;
const shortestMs = 50;
const longestMs = 10_000;
const unknownMs = 1000;

/**
 * When to try again on a server that has no room. In a full queue of N calls whose stay takes W, a place becomes free every
 * W / N (Little), and all of today's N are through after W: W, the median of the method's last calls that went well, is the
 * hint, in 50 ms..10 s; 1 s while none is known. Those refused at the same moment are spread over W/2..3W/2.
 */
export class RetryHints {
  private readonly stays = new Map<string, number[]>();

  /** @param random uniform in [0, 1). */
  constructor(private readonly random: () => number = Math.random) {}

  /** Notes how long a call that went well stayed. */
  observe(method: string, milliseconds: number): void {
    const stays = this.stays.get(method) ?? [];
    if (stays.push(milliseconds) > remembered) stays.shift();
    this.stays.set(method, stays);
  }

  /** The trailer's value for a refusal; undefined where there is nothing to say about another attempt. */
  of(method: string, { code, reason, retryAfterMs }: A2sfError): number | undefined {
    if (retryAfterMs !== undefined) return Math.ceil(retryAfterMs);
    if (code !== 'RESOURCE_EXHAUSTED') return undefined;
    if (!overloads.has(reason)) return -1; // over a limit that does not move
    const sorted = (this.stays.get(method) ?? []).toSorted((x, y) => x - y);
    const median = sorted[sorted.length >> 1] ?? unknownMs;
    const stay = Math.min(longestMs, Math.max(shortestMs, median));
    return Math.round(stay * (0.5 + this.random()));
  }
}
