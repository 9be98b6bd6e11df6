import type { CompressionPlan } from '@a2sf/kv-compression';
import { notFinite, windowScores, type WindowScores } from './key-selection.js';
import type { KeptPositions } from './kv-cache.js';
import type { InspectedLayer, InspectInput } from './language-model-types.js';
import { scoreStatistics, type ScoreStatistics } from './prefill-statistics.js';

/** What one compression made of a prompt. */
export interface InspectedSelection {
  readonly plan: CompressionPlan;
  /** The window that its keys were scored with, an index into the scores; undefined where they were not. */
  readonly window: number | undefined;
  readonly scores: WindowScores;
  /** undefined = all. */
  readonly kept: KeptPositions | undefined;
}

/**
 * Per layer the positions that a compression keeps of each KV head and, where asked for, what they were ranked by, and the
 * statistics of the windowed scores. DATA_LOSS where the statistics meet a score that is not finite.
 */
export function inspectedLayers(
  { plan, window, scores, kept }: InspectedSelection,
  layers: readonly number[],
  kvHeads: number,
  { withScores, withStatistics = false }: Pick<InspectInput, 'withScores' | 'withStatistics'>,
): InspectedLayer[] {
  const { n } = scores;
  const everything = Int32Array.from({ length: n }, (_, position) => position);
  return layers.map((layer) => {
    const own = withScores || withStatistics ? windowScores(scores, layer, window, kvHeads) : new Float32Array(0);
    const ranks = withScores ? (plan.rank?.(layer, own, kvHeads) ?? own) : new Float32Array(0);
    const heads = Array.from({ length: kvHeads }, (_, head) => {
      const positions = kept?.[layer]?.[head] ?? everything;
      return {
        positions,
        scores: ranks.length === 0 ? ranks : Float32Array.from(positions, (k) => ranks[head * n + k]!),
      };
    });
    return { layer, heads, ...(withStatistics ? { statistics: statisticsOf(own, n, layer) } : {}) };
  });
}

function statisticsOf(scores: Float32Array, n: number, layer: number): ScoreStatistics {
  if (!scores.every(Number.isFinite)) throw notFinite(layer);
  return scoreStatistics(scores, n);
}
