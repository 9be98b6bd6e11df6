import type { CompressionRequest } from './compression-request.js';

/** Fields of a request that belong to some methods only, and how the contract spells them. */
export const methodParameters = {
  action: 'action',
  sinks: 'sinks',
  observationWindow: 'observation_window',
  pooling: 'pooling',
  forgetting: 'forgetting',
  seed: 'seed',
} as const satisfies Partial<Record<keyof CompressionRequest, string>>;

export type MethodParameter = keyof typeof methodParameters;

/** What the keys of one layer are ranked by, [G, n] flattened, of its windowed scores [G, n]; leaves its input as it is. */
export type Rank = (layer: number, scores: Float32Array, kvHeads: number) => Float32Array;

/**
 * One way to choose which keys survive. A method says only what is its own: how queries weigh, how scores become ranks,
 * and how many of the first and last positions are safe from it. Budget, kept spans and selection are shared.
 */
export interface CompressionMethod {
  /** Its name in lower-kebab-case. */
  readonly name: string;
  /** The parameters it takes; any other one in a request is refused. */
  readonly parameters: readonly MethodParameter[];
  /** True for a method that evicts nothing and so needs no budget. */
  readonly evictsNothing?: boolean;
  /** Throws INVALID_ARGUMENT for a parameter of its own that is missing or out of range; `path` goes before its name. */
  validate?(request: CompressionRequest, path: string): void;
  /** The last positions that are kept when `recent` is not given, in 0..budget. */
  defaultRecent(request: CompressionRequest, budget: number): number;
  /** The first positions that are kept; none when absent. May exceed what `recent` leaves of the budget. */
  sinks?(request: CompressionRequest, budget: number, recent: number): number;
  /** Weight of each query's attention, [n]. Absent: the method ranks without attention. */
  window?(request: CompressionRequest, n: number): Float32Array;
  /** Ranks for a prompt of n tokens whose `forced` positions (ascending) compete for nothing. Absent: the scores rank. */
  rank?(request: CompressionRequest, n: number, forced: Int32Array): Rank;
}
