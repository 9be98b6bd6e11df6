import type { Profile } from '@a2sf/trainer-app';

/**
 * What `a2sf demo` (and so `npm start`) trains with: the values that the card of the embedded models
 * (models/tiny-a2sf/README.md) was measured with, so that the result can be held against its table. They differ from the
 * general defaults, which are the seed's:
 *
 * - budget 64: the tiny prompts have 254 to 700 tokens, and here actions differ more than at 128;
 * - 16 episodes per update, 60 updates: 960 episodes, less than one pass over the 1050 training prompts;
 * - ucb_beta 0.02: with 1 the card saw the same end a little later;
 * - reward rouge_l: what the card's table was measured with;
 * - all 210 evaluation prompts.
 */
export const demoProfile = {
  budget: 64,
  episodesPerUpdate: 16,
  iterations: 60,
  lr: 3e-4,
  ucbBeta: 0.02,
  reward: 'rouge_l',
  evalFrequency: 20,
  evalSamples: 0,
  logFrequency: 5,
  saveDir: 'runs/demo',
  overwrite: true,
} satisfies Profile;
