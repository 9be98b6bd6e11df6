import { maxBeta } from '@a2sf/bandit';
import { boolean, flagOf, integer, listOf, number, option, resolveOptions, text, usageError } from '@a2sf/config';
import { options as trainerOptions } from '@a2sf/trainer-app';
import { addressOptions, modelOptions } from './dataset-services.js';
import { evaluateLog } from './evaluate-off-policy.js';
import { evaluateQuality } from './evaluate-quality.js';

const { data, datasets, evalSamples, maxPromptTokens, budget, recent } = trainerOptions;
const logged = 'Estimates from a decision log (--off_policy)';

const logOptions = {
  beta: option({
    schema: number({ min: 0, max: maxBeta }),
    description: 'weight of the exploration bonus that it would choose with',
    default: 0,
    group: logged,
  }),
  epsilon: option({
    schema: number({ min: 0, max: 1 }),
    description: 'probability of a uniform draw that it would choose with',
    default: 0,
    group: logged,
  }),
  clip: option({
    schema: number({ min: 1e-6 }),
    description:
      'largest weight; larger ones are set to it, which trades variance for a bias that is told (default: none)',
    group: logged,
  }),
  resamples: option({
    schema: integer({ min: 100, max: 100_000 }),
    description: 'resamples of the bootstrap',
    default: 2000,
    group: logged,
  }),
  maxRewards: option({
    schema: integer({ min: 1, max: 10_000_000 }),
    description: 'rewards that are held in memory; a log with more is refused',
    default: 200_000,
    group: logged,
  }),
};

const promptOptions = {
  metric: option({
    schema: text({ maxLength: 300 }),
    description:
      "what a text is scored by: dataset, each dataset's own metric against the answers; or a reward as train takes it, against the full cache's text",
    default: 'dataset',
    group: 'Data and reward',
  }),
  data,
  datasets,
  evalSamples,
  maxPromptTokens,
  budget,
  recent,
  budgets: option({
    schema: listOf(integer({ min: 1, max: 1_048_576 }), { min: 1, max: 64 }),
    list: true,
    description: 'in the place of --budget: several, for a curve of quality by budget',
    group: 'Data and reward',
  }),
  maxNewTokens: option({
    schema: integer({ min: 1, max: 4096 }),
    description: "new tokens per text (default: as many as each dataset's answers need)",
    group: 'Data and reward',
  }),
  ...modelOptions,
  ...addressOptions,
};

/** The flags of `a2sf evaluate`. */
export const options = {
  checkpoint: option({
    schema: text(),
    description: 'the policy to evaluate; its last one where a run folder is named',
    group: 'Evaluation',
  }),
  offPolicy: option({
    schema: text(),
    description: 'decision log of a policy server, with the rewards that were told of its decisions',
    group: 'Evaluation',
  }),
  seed: option({ schema: integer(), description: 'seed of the bootstrap', default: 0, group: 'Evaluation' }),
  json: option({ schema: boolean, description: 'print the report as JSON', default: false, group: 'Evaluation' }),
  ...promptOptions,
  ...logOptions,
};

/** `a2sf evaluate`: how good a policy's texts are on held-out prompts, or what a log says of a policy that did not make it. */
export async function evaluate(argv: readonly string[]): Promise<void> {
  const command = {
    name: 'a2sf evaluate',
    description:
      'Scores what a policy makes of held-out prompts, beside the full cache and the baselines. With --off_policy: estimates its mean reward from decisions that other policies made and logged.',
  };
  const resolution = resolveOptions(command, options, argv);
  const { values, sources } = resolution;
  const { offPolicy, checkpoint } = values;
  if (checkpoint === undefined) throw usageError(['--checkpoint: name the policy to evaluate']);
  const [others, how] = offPolicy === undefined ? [logOptions, 'only with'] : [promptOptions, 'not with'];
  const stray = Object.entries(others).filter(([key]) => sources[key as keyof typeof sources] === 'flag');
  if (stray.length > 0) {
    const flags = stray.map(([key, option]) => `--${flagOf(key, option)}`).join(', ');
    throw usageError([`${flags}: ${how} --off_policy`]);
  }
  if (offPolicy === undefined) await evaluateQuality(checkpoint, options, resolution);
  else await evaluateLog({ ...values, offPolicy, checkpoint });
}
