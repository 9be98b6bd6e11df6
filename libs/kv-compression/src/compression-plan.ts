import { A2sfError } from '@a2sf/errors';
import { resolveBudget } from './budget.js';
import { methodParameters, type CompressionMethod, type MethodParameter, type Rank } from './compression-method.js';
import { compressionMethod } from './compression-methods.js';
import type { CompressionRequest, Span } from './compression-request.js';
import { validateLength } from './window.js';

/** Most spans that `keep` may list. */
const mostSpans = 64;

/** A compression for one prompt of n tokens. */
export interface CompressionPlan {
  /** The method's name, as listed. */
  readonly method: string;
  /** Keys kept per layer and KV head: min(n, budget); n for `full`. */
  readonly kept: number;
  /** Nothing is evicted. */
  readonly keepsAll: boolean;
  /** Positions kept unconditionally (recent, keep spans, sinks), ascending, distinct. */
  readonly forced: Int32Array;
  /** Weight of each query's attention, [n]; absent: the method ranks without attention. */
  readonly window?: Float32Array;
  /**
   * What the keys of one layer are ranked by, [G, n] flattened. scores: windowed sums of that layer [G, n] (empty when there
   * is no window), left as they are. Absent: by the scores themselves.
   */
  readonly rank?: Rank;
}

/**
 * Checks all of a request that does not depend on the prompt. Throws INVALID_ARGUMENT naming the field in the contract's
 * spelling behind `path` (`compression.`).
 */
export function validateCompression(request: CompressionRequest, path = ''): void {
  const method = methodOf(request, path);
  for (const [name, spelling] of Object.entries(methodParameters)) {
    const parameter = name as MethodParameter;
    if (request[parameter] !== undefined && !method.parameters.includes(parameter)) {
      throw A2sfError.invalid(`${path}${spelling}`, `is not a parameter of the method ${method.name}`);
    }
  }
  method.validate?.(request, path);
  validateSpans(request.keep ?? [], `${path}keep`);

  const share = request.budgetShare ?? 0;
  if (!(share >= 0 && share <= 1)) {
    throw A2sfError.invalid(`${path}budget_share`, `must be above 0 and at most 1, got ${share}`);
  }
  if (share > 0 && request.budget !== 0) {
    throw A2sfError.invalid(
      `${path}budget_share`,
      `must not be given together with budget, got ${request.budget} there`,
    );
  }
  if (share > 0 || (method.evictsNothing === true && request.budget === 0)) {
    const recent = request.recent ?? 0; // how it fits depends on the prompt
    if (!Number.isSafeInteger(recent) || recent < 0) {
      throw A2sfError.invalid(`${path}recent`, `must be a whole number of at least 0, got ${recent}`);
    }
  } else unconditional(method, request, request.budget, path);
}

/**
 * The plan of a request for one prompt of n tokens. Throws INVALID_ARGUMENT as `validateCompression` does, and, for a prompt
 * that does not fit the budget, when the positions that are kept unconditionally do not fit it either.
 */
export function planCompression(request: CompressionRequest, n: number, path = ''): CompressionPlan {
  validateLength(n);
  validateCompression(request, path);
  const method = methodOf(request, path);
  const share = request.budgetShare ?? 0;
  const budget = method.evictsNothing === true ? n : share > 0 ? Math.ceil(share * n) : request.budget;
  const keepsAll = n <= budget;
  // A prompt that is kept whole cannot conflict with what must be kept of it.
  const checked = keepsAll ? { ...request, recent: Math.min(request.recent ?? 0, budget) } : request;
  const { recent, sinks } = unconditional(method, checked, budget, path, !keepsAll);
  const forced = forcedPositions(n, recent, sinks, request.keep ?? []);
  if (!keepsAll && forced.length > budget) {
    throw A2sfError.invalid(
      `${path}keep`,
      `must fit into the budget of ${budget} together with recent ${recent}${sinks > 0 ? ` and sinks ${sinks}` : ''}, got ${forced.length} positions in all`,
    );
  }
  const window = method.window?.(request, n);
  const rank = method.rank?.(request, n, forced);
  return {
    method: method.name,
    kept: keepsAll ? n : budget,
    keepsAll,
    forced,
    ...(window === undefined ? {} : { window }),
    ...(rank === undefined ? {} : { rank }),
  };
}

function methodOf({ method = '' }: CompressionRequest, path: string): CompressionMethod {
  return compressionMethod(method, `${path}method`);
}

/** The last and first positions that are kept, defaults filled in. Throws unless they fit the budget, where that `matters`. */
function unconditional(
  method: CompressionMethod,
  request: CompressionRequest,
  budget: number,
  path: string,
  matters = true,
): { recent: number; sinks: number } {
  resolveBudget({ budget, recent: request.recent }, 1, path); // for its checks
  const recent = request.recent || method.defaultRecent(request, budget);
  const sinks = method.sinks?.(request, budget, recent) ?? 0;
  if (matters && recent + sinks > budget) {
    throw A2sfError.invalid(
      `${path}sinks`,
      `must be a whole number in 0..${budget - recent} (the budget less recent), got ${sinks}`,
    );
  }
  return { recent, sinks };
}

function validateSpans(spans: readonly Span[], field: string): void {
  if (spans.length > mostSpans) {
    throw A2sfError.invalid(field, `must be at most ${mostSpans} spans, got ${spans.length}`);
  }
  spans.forEach(({ start, end }, i) => {
    if (!Number.isSafeInteger(start) || start < 0) {
      throw A2sfError.invalid(`${field}[${i}].start`, `must be a whole number of at least 0, got ${start}`);
    }
    if (!Number.isSafeInteger(end) || end <= start) {
      throw A2sfError.invalid(`${field}[${i}].end`, `must be a whole number above start (${start}), got ${end}`);
    }
  });
}

/** The union of the first `sinks`, the last `recent` and the spans, within 0..n-1. */
function forcedPositions(n: number, recent: number, sinks: number, spans: readonly Span[]): Int32Array {
  const isForced = new Uint8Array(n);
  isForced.fill(1, 0, sinks);
  isForced.fill(1, Math.max(0, n - recent));
  for (const { start, end } of spans) isForced.fill(1, start, end);
  const forced = new Int32Array(isForced.reduce((count, flag) => count + flag, 0));
  for (let k = 0, i = 0; k < n; k++) if (isForced[k] === 1) forced[i++] = k;
  return forced;
}
