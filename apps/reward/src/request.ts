import type { ScoreItemOutput, ScoreRequestOutput } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import { checkLogProbs, metricOfDataset, scorerNamed, type Scorer, type ScoreItem } from '@a2sf/rewards';

/** What a request may ask for. */
export interface RequestLimits {
  readonly maxItems: number;
}

const maxTextBytes = 1 << 20;
const maxReferences = 64;
const maxClasses = 256;

/** An item with the metric or mix it is scored by. */
export interface ReadItem extends ScoreItem {
  readonly metric: Scorer;
}

/**
 * Checks every field of a ScoreRequest. Throws INVALID_ARGUMENT (RESOURCE_EXHAUSTED for a text of over 1 MiB) naming the
 * field and the limit.
 */
export function readScore(request: ScoreRequestOutput, limits: RequestLimits): ReadItem[] {
  checkCount(request.items, 'items', 1, limits.maxItems);
  return request.items.map((item, i) => readItem(item, `items[${i}]`));
}

function readItem(item: ScoreItemOutput, path: string): ReadItem {
  const metric = readMetric(item, path);
  checkCount(item.references, `${path}.references`, metric.needsReferences ? 1 : 0, maxReferences);
  checkCount(item.allClasses, `${path}.all_classes`, metric.needsClasses ? 1 : 0, maxClasses);
  checkLogProbs(item.logProbs, metric.needsLogProbs ? 1 : 0, `${path}.log_probs`);
  checkText(item.prediction, `${path}.prediction`);
  item.references.forEach((text, i) => checkText(text, `${path}.references[${i}]`));
  item.allClasses.forEach((text, i) => checkText(text, `${path}.all_classes[${i}]`));
  const { prediction, references, allClasses, dataset, logProbs } = item;
  return { metric, prediction, references, allClasses, dataset, logProbs };
}

/** A dataset counts, and has to be known, where its own metric or its first-line rule is asked for. */
function readMetric({ metric: name, dataset }: ScoreItemOutput, path: string): Scorer {
  if (name === '' && dataset === '') throw A2sfError.invalid(`${path}.metric`, 'must be given where dataset is empty');
  if (name === '') return metricOfDataset(dataset, `${path}.dataset`);
  const metric = scorerNamed(name, `${path}.metric`);
  if (metric.kind === 'task' && dataset !== '') metricOfDataset(dataset, `${path}.dataset`);
  return metric;
}

function checkCount(values: readonly unknown[], field: string, least: number, most: number): void {
  if (values.length < least || values.length > most) {
    throw A2sfError.invalid(field, `must hold ${least}..${most} entries, holds ${values.length}`);
  }
}

function checkText(text: string, field: string): void {
  if (text.length * 3 <= maxTextBytes) return; // a UTF-16 unit takes three bytes at most
  const bytes = Buffer.byteLength(text);
  if (bytes > maxTextBytes) {
    throw new A2sfError('RESOURCE_EXHAUSTED', `${field}: ${bytes} bytes, the limit is ${maxTextBytes}`, {
      field,
      reason: 'text-too-long',
    });
  }
}
