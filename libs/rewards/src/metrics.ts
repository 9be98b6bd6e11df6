import { A2sfError } from '@a2sf/errors';
import { classification } from './classification.js';
import { codeSim } from './code-sim.js';
import { cosine } from './cosine.js';
import { exactPrefix } from './exact-prefix.js';
import { longBenchRouge } from './longbench-rouge.js';
import type { Metric } from './metric.js';
import { logProb } from './log-prob.js';
import { count, retrieval, retrievalZh } from './number-match.js';
import { qaF1 } from './qa-f1.js';
import { qaF1Zh } from './qa-f1-zh.js';
import { rougeL } from './rouge-l.js';
import { rouge1, rouge2 } from './rouge-n.js';
import { rougeZh } from './rouge-zh.js';
import { stringMatch } from './string-match.js';

/** Every metric there is; a new one is one file and one line here. */
const registry: ReadonlyMap<string, Metric> = new Map(
  [
    classification,
    codeSim,
    cosine,
    count,
    exactPrefix,
    logProb,
    longBenchRouge,
    qaF1,
    qaF1Zh,
    retrieval,
    retrievalZh,
    rouge1,
    rouge2,
    rougeL,
    rougeZh,
    stringMatch,
  ].map((metric) => [metric.name, metric]),
);

/** Names of the known metrics, sorted. */
export const metricNames: readonly string[] = [...registry.keys()].sort();

/** The metric of a name; LongBench's spelling `<name>_score` means the same. Undefined when there is none. */
export function findMetric(name: string): Metric | undefined {
  return registry.get(name) ?? registry.get(name.replace(/_score$/, ''));
}

/** The metric of a name. Throws INVALID_ARGUMENT naming `field` and the known metrics. */
export function metricNamed(name: string, field = 'metric'): Metric {
  const metric = findMetric(name);
  if (!metric) {
    throw A2sfError.invalid(
      field,
      `unknown metric ${JSON.stringify(name.slice(0, 60))}, known are ${metricNames.join(', ')}, and mix:<name>=<weight>,...`,
      'unknown-metric',
    );
  }
  return metric;
}
