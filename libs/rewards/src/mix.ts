import { A2sfError } from '@a2sf/errors';
import type { Metric, Needs } from './metric.js';
import { findMetric, metricNamed } from './metrics.js';

const prefix = 'mix:';
const maxParts = 8;

/** How far from 1 the weights may sum, so that thirds can be written with six digits. */
const sumTolerance = 1e-6;
const rounding = 1e-12;

/** One metric of a mix. */
export interface MixPart {
  readonly metric: Metric;
  /** Its share of the score; the weights of a mix sum to 1. */
  readonly weight: number;
}

/** sum_i w_i score_i: each metric scores the item as if it were alone, best reference and first-line rule included. */
export interface Mix extends Needs {
  readonly name: 'mix';
  readonly parts: readonly MixPart[];
}

/** What an item is scored by. */
export type Scorer = Metric | Mix;

/** The metric of a name or the mix of `mix:<name>=<weight>,...`. Throws INVALID_ARGUMENT naming `field`. */
export function scorerNamed(name: string, field = 'metric'): Scorer {
  return name.startsWith(prefix) ? readMix(name.slice(prefix.length), field) : metricNamed(name, field);
}

/** 1..8 different metrics, none of them a mix, weights above 0 with the sum 1. */
function readMix(text: string, field: string): Mix {
  const entries = text.split(',', maxParts + 1);
  if (entries.length > maxParts) throw A2sfError.invalid(field, `a mix holds at most ${maxParts} metrics`);
  const given = entries.map((entry) => readPart(entry, field));
  const metrics = given.map(({ metric }) => metric);
  const twice = metrics.find((metric, i) => metrics.indexOf(metric) < i);
  if (twice) throw A2sfError.invalid(field, `${twice.name} stands twice in the mix`);
  const sum = given.reduce((total, { weight }) => total + weight, 0);
  if (!(Math.abs(sum - 1) <= sumTolerance + rounding)) {
    throw A2sfError.invalid(field, `the weights of a mix must sum to 1, within ${sumTolerance}, they sum to ${sum}`);
  }
  const some = (need: (metric: Metric) => boolean) => metrics.some(need);
  return {
    name: 'mix',
    parts: given.map(({ metric, weight }) => ({ metric, weight: weight / sum })),
    kind: some(({ kind }) => kind === 'task') ? 'task' : 'similarity',
    needsEmbeddings: some((metric) => metric.needsEmbeddings),
    needsClasses: some((metric) => metric.needsClasses),
    needsReferences: some((metric) => metric.needsReferences),
    needsLogProbs: some((metric) => metric.needsLogProbs),
  };
}

function readPart(entry: string, field: string): MixPart {
  const equals = entry.indexOf('=');
  const number = entry.slice(equals + 1);
  if (equals < 0 || !/^(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(number)) {
    throw A2sfError.invalid(
      field,
      `a mix is mix:<name>=<weight>,..., its part ${quoted(entry)} is not <name>=<weight>`,
    );
  }
  const name = entry.slice(0, equals);
  const metric = findMetric(name);
  if (!metric) {
    const problem = name.startsWith(prefix) ? 'a mix cannot hold a mix' : `unknown metric ${quoted(name)} in a mix`;
    throw A2sfError.invalid(field, problem, 'unknown-metric');
  }
  const weight = Number(number);
  if (!(weight > 0 && weight < Infinity))
    throw A2sfError.invalid(field, `the weight of ${metric.name} must be above 0 and finite`);
  return { metric, weight };
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
