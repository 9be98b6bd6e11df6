import { maxBeta, maxStepsPerUpdate } from '@a2sf/bandit';
import { integer, listOf, number, oneOf, option, text } from '@a2sf/config';
import { callerOptions, serverOptionsWithPorts } from '@a2sf/grpc-runtime';
import { defaultServing } from './choosing.js';
import { defaultHyperParameters } from './served-policy.js';

const policy = 'Policy';
const learning = 'Learning (a given value wins over the checkpoint)';
const durability = 'Durability';
const roles = 'Learner and replicas';
const serving = 'Serving';
const decisions = 'Decision log';
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
  ...callerOptions(policy),
  trainers: option({
    schema: listOf(text({ maxLength: 300 }), { min: 1, max: 64 }),
    list: true,
    description: 'with TLS: names of the certificates that may Update, ImportCheckpoint and PromoteChallenger',
    default: ['a2sf-trainer'],
    group: policy,
  }),
  role: option({
    schema: oneOf(['learner', 'replica']),
    description:
      'learner: learns and serves; replica: serves what its learner serves, and when that is down the last it had',
    default: 'learner',
    group: roles,
  }),
  learner: option({
    schema: text({ maxLength: 300 }),
    description: 'address of the learner that a replica follows: host:port or dns:///name:port; required for a replica',
    group: roles,
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
  stepsPerUpdate: option({
    schema: integer({ min: 1, max: maxStepsPerUpdate }),
    description: 'Adam steps on the batch of one update',
    default: 1,
    group: learning,
  }),
  epsilon: option({
    schema: number({ min: 0, max: 1 }),
    description: 'probability of a uniformly drawn action where a request explores and tells none',
    default: defaultServing.epsilon,
    group: serving,
  }),
  boundBeta: option({
    schema: number({ min: 0, max: maxBeta }),
    description: 'weight of the uncertainty in the lower bounds of predicted rewards',
    default: defaultServing.boundBeta,
    group: serving,
  }),
  qualityFloor: option({
    schema: number({ min: 0, max: 1 }),
    description:
      'a lower bound below it advises the full cache; of a policy with several budgets the cheapest action that reaches it is taken (default: none, no bound is looked at)',
    group: serving,
  }),
  shadowShare: option({
    schema: number({ min: 0, max: 1 }),
    description: 'share of the decisions that the challenger is asked about too',
    default: 0,
    group: serving,
  }),
  decisionLog: option({
    schema: text(),
    description: 'file of one JSON line for each decision and each reward of one, without any text (default: none)',
    group: decisions,
  }),
  decisionLogBytes: option({
    schema: integer({ min: 4096, max: 2 ** 40 }),
    description: 'bytes of the decision log after which a new file is begun',
    default: 256 * 2 ** 20,
    group: decisions,
  }),
  decisionLogFiles: option({
    schema: integer({ min: 1, max: 1000 }),
    description: 'files of the decision log that are kept: FILE, FILE.1 (the one before), ...',
    default: 4,
    group: decisions,
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
