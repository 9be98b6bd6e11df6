import { maxBeta } from '@a2sf/bandit';
import { integer, number, option, text } from '@a2sf/config';
import { serverOptionsWithPorts } from '@a2sf/grpc-runtime';
import { defaultHyperParameters } from './learner.js';

const policy = 'Policy';
const learning = 'Learning (a given value wins over the checkpoint)';
const durability = 'Durability';
const limits = 'Limits';

/** The flags of `a2sf serve policy`. */
export const options = {
  ...serverOptionsWithPorts({ port: 50054, httpPort: 9467 }),
  checkpoint: option({
    schema: text(),
    description:
      'policy_N.safetensors, or a policy_N.pt of the reference, to serve (default: none, until one is imported)',
    group: policy,
  }),
  encoder: option({
    schema: text(),
    description: 'address of the encoder that embeds texts (default: none, texts are refused)',
    group: policy,
  }),
  stateDir: option({
    schema: text(),
    description:
      'folder that every acknowledged update survives in; once it holds a policy, --checkpoint is passed over (default: none)',
    group: durability,
  }),
  snapshotUpdates: option({
    schema: integer({ min: 1, max: 1_000_000 }),
    description: 'updates between two snapshots of the state; about so many are replayed at the start',
    default: 20,
    group: durability,
  }),
  snapshotLogBytes: option({
    schema: integer({ min: 4096, max: 2 ** 40 }),
    description: 'bytes of the log between two snapshots',
    default: 128 * 2 ** 20,
    group: durability,
  }),
  lr: option({
    schema: number({ min: 1e-12, max: 1 }),
    description: 'learning rate of Adam',
    default: defaultHyperParameters.lr,
    group: learning,
  }),
  ucbBeta: option({
    schema: number({ min: 0, max: maxBeta }),
    description: 'weight of the exploration bonus',
    default: defaultHyperParameters.ucbBeta,
    group: learning,
  }),
  uncertaintyCoef: option({
    schema: number({ min: 1e-9, max: 1e9 }),
    description: 'regularisation lambda of the covariances; takes effect where a policy is made, not when it is loaded',
    default: defaultHyperParameters.uncertaintyCoef,
    group: learning,
  }),
  maxGradNorm: option({
    schema: number({ min: 1e-9, max: 1e9 }),
    description: 'bound of the global gradient norm',
    default: defaultHyperParameters.maxGradNorm,
    group: learning,
  }),
  maxBatch: option({
    schema: integer({ min: 1, max: 65_536 }),
    description: 'most requests of SelectActions, most experiences of Update',
    default: 1024,
    group: limits,
  }),
  maxCheckpointBytes: option({
    schema: integer({ min: 1024, max: 2 ** 32 }),
    description: 'largest checkpoint in bytes',
    default: 1 << 30,
    group: limits,
  }),
};
