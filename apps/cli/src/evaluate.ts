import { evaluateOffPolicy, maxBeta, restoreAgent, type OffPolicyReport } from '@a2sf/bandit';
import { boolean, integer, number, option, resolveOptions, text, usageError } from '@a2sf/config';
import { A2sfError } from '@a2sf/errors';
import { printJson } from './clients/client-options.js';
import { readOutcomes, type OutcomeCounts } from './evaluate-outcomes.js';
import { readCheckpoint, servedVersion } from './read-checkpoint.js';
import { alignedTable } from './text-table.js';

const options = {
  offPolicy: option({
    schema: text(),
    description: 'decision log of a policy server, with the rewards that were told of its decisions',
    group: 'Evaluation',
  }),
  checkpoint: option({ schema: text(), description: 'the policy to evaluate', group: 'Evaluation' }),
  beta: option({
    schema: number({ min: 0, max: maxBeta }),
    description: 'weight of the exploration bonus that it would choose with',
    default: 0,
    group: 'Evaluation',
  }),
  epsilon: option({
    schema: number({ min: 0, max: 1 }),
    description: 'probability of a uniform draw that it would choose with',
    default: 0,
    group: 'Evaluation',
  }),
  clip: option({
    schema: number({ min: 1e-6 }),
    description:
      'largest weight; larger ones are set to it, which trades variance for a bias that is told (default: none)',
    group: 'Estimates',
  }),
  resamples: option({
    schema: integer({ min: 100, max: 100_000 }),
    description: 'resamples of the bootstrap',
    default: 2000,
    group: 'Estimates',
  }),
  seed: option({ schema: integer(), description: 'seed of the bootstrap', default: 0, group: 'Estimates' }),
  maxRewards: option({
    schema: integer({ min: 1, max: 10_000_000 }),
    description: 'rewards that are held in memory; a log with more is refused',
    default: 200_000,
    group: 'Estimates',
  }),
  json: option({ schema: boolean, description: 'print the report as JSON', default: false, group: 'Answer' }),
};

/** `a2sf evaluate`: what a log says of a policy that did not make it. */
export async function evaluate(argv: readonly string[]): Promise<void> {
  const command = {
    name: 'a2sf evaluate',
    description: 'Estimates the mean reward of a policy from decisions that other policies made and logged.',
  };
  const { values } = resolveOptions(command, options, argv);
  const { offPolicy, checkpoint: file, beta, epsilon, clip, resamples, seed, maxRewards } = values;
  if (offPolicy === undefined) throw usageError(['--off_policy: name the decision log']);
  if (file === undefined) throw usageError(['--checkpoint: name the policy to evaluate']);
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
