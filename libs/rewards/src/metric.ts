/** What a metric may look at beside the two texts. */
export interface MetricContext {
  /** The classes to choose from; empty unless the item gave some. */
  readonly allClasses: readonly string[];
  /** The sentence embedding of a text of this item; only metrics with `needsEmbeddings` may ask. */
  readonly embedding: (text: string) => Float32Array;
  /** ln P of each token of the item's text; empty unless the item gave some. */
  readonly logProbs: readonly number[];
}

/** What an item must hold to be scored. */
export interface Needs {
  /**
   * `similarity` compares with another model's text, `task` with a dataset's answer. Task metrics see the first line of
   * the prediction alone where LongBench cuts it.
   */
  readonly kind: 'similarity' | 'task';
  /** True when texts have to be embedded first. */
  readonly needsEmbeddings: boolean;
  /** True when the metric cannot work without `allClasses`. */
  readonly needsClasses: boolean;
  /** True when there must be references. */
  readonly needsReferences: boolean;
  /** True when the metric cannot work without `logProbs`. */
  readonly needsLogProbs: boolean;
}

/** One way to say how good a text is. One file per metric, one line in the registry. */
export interface Metric extends Needs {
  /** Name in the contract. */
  readonly name: string;
  /** What several references give together: the best match, or the mean over all of them; absent: the best. */
  readonly over?: 'best' | 'mean';
  /** Score of one prediction against one reference, neither of them blank (both empty without `needsReferences`); at most 1. */
  score(prediction: string, reference: string, context: MetricContext): number;
}

/** The needs of a metric that compares the prediction with references by their characters alone. */
export const comparing = {
  needsEmbeddings: false,
  needsClasses: false,
  needsReferences: true,
  needsLogProbs: false,
} as const satisfies Partial<Needs>;

/** A metric that reads nothing but the two texts. */
export function textMetric(
  name: string,
  kind: Metric['kind'],
  score: (prediction: string, reference: string) => number,
): Metric {
  return { ...comparing, name, kind, score };
}
