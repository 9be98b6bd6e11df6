import type { Agent } from '@a2sf/bandit';

/** What a policy thinks of one action in one context. */
export interface Candidate {
  readonly a: number;
  readonly b: number;
  /** Undefined where the space has no budgets. */
  readonly budget?: number;
  readonly prediction: number;
  readonly uncertainty: number;
  /** prediction - boundBeta sqrt(uncertainty + 1e-6) */
  readonly lowerBound: number;
}

/** A context and the name of its group. */
export interface Asked {
  readonly context: Float32Array;
  readonly key: string | undefined;
}

/** Predictions and uncertainties of any action in N contexts; what is not asked for is not computed. */
export interface Appraisal {
  prediction(n: number, action: number): number;
  uncertainty(n: number, action: number): number;
  lowerBound(n: number, action: number): number;
  /** Action of the highest prediction, the lowest index on ties. */
  best(n: number): number;
}

/** What an agent thinks of all actions; the contexts are known to fit it. */
export function appraise(agent: Agent, asked: readonly Asked[], boundBeta: number): Appraisal {
  const A = agent.space.size;
  const contexts = asked.map(({ context }) => context);
  const keys = asked.map(({ key }) => key);
  const evaluation = agent.evaluate(contexts, keys);
  const { predictions } = evaluation;
  const uncertainty = (n: number, action: number): number => evaluation.uncertainty(n, action);
  const prediction = (n: number, action: number): number => predictions[n * A + action]!;
  return {
    prediction,
    uncertainty,
    lowerBound: (n, action) => prediction(n, action) - boundBeta * Math.sqrt(uncertainty(n, action) + 1e-6),
    best(n) {
      const row = predictions.subarray(n * A, (n + 1) * A);
      return row.indexOf(row.reduce((most, value) => Math.max(most, value), -Infinity));
    },
  };
}

/** Every action in the order of the space, of context n. */
export function candidatesOf(agent: Agent, appraisal: Appraisal, n: number): Candidate[] {
  return Array.from({ length: agent.space.size }, (_, action) => ({
    ...agent.space.at(action),
    prediction: appraisal.prediction(n, action),
    uncertainty: appraisal.uncertainty(n, action),
    lowerBound: appraisal.lowerBound(n, action),
  }));
}
