/** What a metric may look at beside the two texts. */
export interface MetricContext {
  /** The classes to choose from; empty unless the item gave some. */
  readonly allClasses: readonly string[];
  /** The sentence embedding of a text of this item; only metrics with `needsEmbeddings` may ask. */
  readonly embedding: (text: string) => Float32Array;
}

/** One way to say how good a text is. One file per metric, one line in the registry. */
export interface Metric {
  /** Name in the contract. */
  readonly name: string;
  /**
   * `similarity` compares with another model's text, `task` with a dataset's answer. Task metrics see the first line of
   * the prediction alone where LongBench cuts it.
   */
  readonly kind: 'similarity' | 'task';
  /** True when texts have to be embedded first. */
  readonly needsEmbeddings: boolean;
  /** True when the metric cannot work without `allClasses`. */
  readonly needsClasses: boolean;
  /** Score of one prediction against one reference, neither of them blank; at most 1. */
  score(prediction: string, reference: string, context: MetricContext): number;
}

/** A metric that reads nothing but the two texts. */
export function textMetric(
  name: string,
  kind: Metric['kind'],
  score: (prediction: string, reference: string) => number,
): Metric {
  return { name, kind, needsEmbeddings: false, needsClasses: false, score };
}
