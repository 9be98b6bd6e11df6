import { evaluateOffPolicy, restoreAgent, type OffPolicyReport } from '@a2sf/bandit';
import { A2sfError } from '@a2sf/errors';
import { printJson } from './clients/client-options.js';
import { readOutcomes, type OutcomeCounts } from './evaluate-outcomes.js';
import { readCheckpoint, servedVersion } from './read-checkpoint.js';
import { alignedTable } from './text-table.js';

/** A policy, a log of others' decisions, and how the estimates are made. */
export interface OffPolicyValues {
  readonly offPolicy: string;
  readonly checkpoint: string;
  readonly beta: number;
  readonly epsilon: number;
  readonly clip?: number | undefined;
  readonly resamples: number;
  readonly seed: number;
  readonly maxRewards: number;
  readonly json: boolean;
}

/** Prints what a log says of a policy that did not make it. */
export async function evaluateLog(values: OffPolicyValues): Promise<void> {
  const { offPolicy, checkpoint: file, beta, epsilon, clip, resamples, seed, maxRewards } = values;
  const { checkpoint, warnings } = await readCheckpoint(file);
  const agent = restoreAgent(checkpoint.state, { learns: false });
  const policyVersion = servedVersion(checkpoint);
  const target = { agent, encoderId: checkpoint.encoderId, policyVersion, beta, epsilon };
  const { outcomes, counts } = await readOutcomes(offPolicy, target, maxRewards);
  if (outcomes.length === 0) {
    const message = `--off_policy: no decision can be evaluated: ${inWords(counts)}`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'off_policy' });
  }
  const report = evaluateOffPolicy(outcomes, { seed, resamples, ...(clip === undefined ? {} : { clip }) });
  const all = [...warnings, ...report.warnings, ...learnedWarnings(counts)];
  const policy = { agent: checkpoint.state.agent, policyVersion, iteration: checkpoint.iteration, beta, epsilon };
  if (values.json) return printJson({ policy, counts, ...report, warnings: all });
  for (const warning of all) process.stderr.write(`a2sf: ${warning}\n`);
  const asked = `beta ${beta}, epsilon ${epsilon}`;
  const header = `${policy.agent} of iteration ${policy.iteration}, version ${policyVersion}, ${asked}`;
  process.stdout.write(`${header}\n${inWords(counts)}\n\n${table(report, clip)}\n`);
}

function learnedWarnings({ beforePolicy, evaluated }: OutcomeCounts): string[] {
  if (beforePolicy === 0) return [];
  const share = `${beforePolicy} of ${evaluated} decisions were made by earlier versions than the policy's`;
  return [`${share}: where it learned from their rewards the estimates flatter it`];
}

function inWords(counts: OutcomeCounts): string {
  const skipped = [
    [counts.withoutReward, 'without a reward'],
    [counts.otherEncoder, 'of another encoder'],
    [counts.otherActionSpace, 'of another action space'],
    [counts.fullCache, 'that advised the full cache'],
    [counts.otherAction, 'whose reward is of another action'],
  ] as const;
  const left = skipped.filter(([count]) => count > 0).map(([count, why]) => `${count} ${why}`);
  const orphans = counts.rewardsWithoutDecision;
  return [
    `${counts.evaluated} of ${counts.decisions} decisions`,
    ...(left.length === 0 ? [] : [`left out: ${left.join(', ')}`]),
    ...(orphans === 0 ? [] : [`${orphans} rewards are of no decision in the log`]),
  ].join('; ');
}

function table({ estimates, meanWeight, maxWeight, clippedWeights, n }: OffPolicyReport, clip?: number): string {
  const rows = estimates.map(({ name, value, low, high, effectiveSampleSize, n: rests, clippingBias }) => [
    name,
    value.toFixed(4),
    low.toFixed(4),
    high.toFixed(4),
    effectiveSampleSize.toFixed(1),
    String(rests),
    ...(clip === undefined ? [] : [clippingBias.toFixed(4)]),
  ]);
  const head = ['estimator', 'value', 'low', 'high', 'ess', 'n', ...(clip === undefined ? [] : ['bias at most'])];
  const clipped = clip === undefined ? '' : `; ${clippedWeights} of ${n} clipped to ${clip}`;
  const weights = `weights: mean ${meanWeight.toPrecision(3)} (expected: 1), largest ${maxWeight.toPrecision(3)}${clipped}`;
  return `${alignedTable([head, ...rows])}\n\n${weights}`;
}
