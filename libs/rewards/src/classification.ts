import { comparing, type Metric } from './metric.js';

/**
 * LongBench's classification_score: 1 / (classes named in the prediction) when the right one is among them, else 0.
 *
 * A named class that is only part of the right one does not count, but LongBench drops those while it walks the list, so
 * that the class after a dropped one is never looked at; repeated here, because published scores hold it.
 */
export const classification: Metric = {
  ...comparing,
  name: 'classification',
  kind: 'task',
  needsClasses: true,
  score: (prediction, reference, { allClasses }) => {
    const named = allClasses.filter((name) => prediction.includes(name));
    for (let i = 0; i < named.length; i++) {
      const name = named[i]!;
      if (name !== reference && reference.includes(name)) named.splice(named.indexOf(name), 1);
    }
    return named.includes(reference) ? 1 / named.length : 0;
  },
};
