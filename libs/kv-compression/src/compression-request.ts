import type { Action } from './action-space.js';

/** A range of positions, start <= position < end. */
export interface Span {
  readonly start: number;
  readonly end: number; // half-open
}

/** A compression as asked for; what is absent, and a 0 in `budget`, `recent` and `budgetShare`, means the default. */
export interface CompressionRequest {
  /** Name of the method, '_' or '-' between its words; empty means `sigmoid`. */
  readonly method?: string | undefined;
  /** sigmoid: the window's shape. */
  readonly action?: Action | undefined;
  /** Keys kept per layer and KV head, in tokens; 0 where `budgetShare` says it or the method (`full`) needs none. */
  readonly budget: number;
  /** The last positions that are kept unconditionally; 0 means the method's default rule. */
  readonly recent?: number | undefined;
  /** Positions that are never evicted, at most 64 spans; they may overlap, and what lies behind the prompt is ignored. */
  readonly keep?: readonly Span[] | undefined;
  /** The budget as ceil(share * n), in (0, 1]. Not together with `budget`. */
  readonly budgetShare?: number | undefined;
  /** streaming-llm: first positions that are kept; 0 is none. */
  readonly sinks?: number | undefined;
  /** snapkv: last queries whose attention ranks the keys. */
  readonly observationWindow?: number | undefined;
  /** snapkv: positions over which scores are averaged, odd. */
  readonly pooling?: number | undefined;
  /** a2sf: weight that a query's attention loses with every later query, in (0, 1]. */
  readonly forgetting?: number | undefined;
  /** random: start of the random numbers, in 0..2^32-1. */
  readonly seed?: number | undefined;
}
