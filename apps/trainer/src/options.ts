import { fileURLToPath } from 'node:url';
import { boolean, integer, listOf, number, oneOf, option, port, text, type Options, type Resolved } from '@a2sf/config';
import { agentNames, defaultAgent, defaultHidden, maxHidden, maxStepsPerUpdate } from '@a2sf/bandit';
import { clientSecurityOptions } from '@a2sf/grpc-runtime';
import { ActionSpace, maxActionBudget } from '@a2sf/kv-compression';
import { logLevels } from '@a2sf/observability';
import { feedbacks } from '@a2sf/training';

const models = 'Models';
const data = 'Data and reward';
const learning = 'Learning';
const run = 'Run';
const services = 'Services (without addresses they are started here, on loopback)';
const processGroup = 'Process';

const count = integer({ min: 1, max: 1_000_000_000 });
const folder = text();
const address = text({ maxLength: 300 });

/** Folder of the embedded prompts. */
const embeddedData = fileURLToPath(new URL('../../../models/tiny-a2sf/data', import.meta.url));

/** The flags of `a2sf train`. */
export const options = {
  modelName: option({
    schema: text(),
    description:
      'language model: preset (llama, llama2, llama3, opt, qwen2), folder or hub id (default: the embedded one)',
    group: models,
  }),
  contextEncoderModel: option({
    schema: text(),
    description: 'encoder of the prompts: folder or hub id (default: the embedded one)',
    group: models,
  }),
  revision: option({
    schema: text({ maxLength: 200 }),
    description: 'branch, tag or commit of a language model of the Hugging Face hub (default: main)',
    group: models,
  }),
  contextEncoderRevision: option({
    schema: text({ maxLength: 200 }),
    description: 'branch, tag or commit of an encoder of the Hugging Face hub (default: main)',
    group: models,
  }),
  offline: option({
    schema: boolean,
    description: 'load no model from the Hugging Face hub, only from its cache; HF_HUB_OFFLINE=1 says the same',
    default: false,
    group: models,
  }),
  device: option({
    schema: oneOf(['auto', 'cpu', 'webgpu', 'cuda']),
    description: 'where the language model runs: auto, cpu, webgpu, cuda',
    default: 'auto',
    group: models,
  }),
  gpus: option({
    schema: listOf(integer({ min: 0, max: 1023 }), { min: 1, max: 64 }),
    list: true,
    description: 'one generator per entry: 0 1 2 3; with --device cpu they are processes that share the cores',
    group: models,
  }),
  threads: option({
    schema: integer({ min: 1, max: 1024 }),
    description: 'threads of each generator (default: the cores divided by the generators)',
    group: models,
  }),

  data: option({
    schema: folder,
    description:
      'folder with train.jsonl and eval.jsonl, or one .jsonl file, of which a fifth is held out (default: the embedded prompts)',
    group: data,
  }),
  fromStore: option({
    schema: folder,
    description:
      'train from the rows of this reward store; only a policy is needed, and what the store was built with (model, budget, actions, ...) is that of the run',
    group: data,
  }),
  evalStore: option({
    schema: folder,
    description: 'with --from_store: the store that is evaluated on (default: a fifth of the prompts is held out)',
    group: data,
  }),
  datasets: option({
    schema: listOf(text({ maxLength: 100 })),
    list: true,
    description: 'only rows of these datasets',
    group: data,
  }),
  evalSamples: option({
    schema: integer({ min: 0, max: 1_000_000 }),
    description: 'evaluation prompts at most; 0 = all',
    default: 50,
    group: data,
  }),
  maxPromptTokens: option({
    schema: integer({ min: 0, max: 1_048_576 }),
    description:
      "longest prompt in tokens, cut in its middle when longer; 0 = the server's limit (default: the preset's, else 0)",
    group: data,
  }),
  budget: option({
    schema: integer({ min: 1, max: 1_048_576 }),
    description: 'keys kept per layer and KV head, in tokens',
    default: 128,
    group: data,
  }),
  budgets: option({
    schema: listOf(integer({ min: 1, max: maxActionBudget }), { min: 1, max: 64 }),
    list: true,
    description:
      'budgets that the policy chooses from, ascending, in the place of --budget: its actions are then a, b and a budget',
    group: data,
  }),
  recent: option({
    schema: integer({ min: 0, max: 1_048_576 }),
    description: 'last keys of the budget that are kept unconditionally; 0 = an eighth of the budget',
    default: 0,
    group: data,
  }),
  maxNewTokens: option({
    schema: integer({ min: 1, max: 4096 }),
    description: 'new tokens per text',
    default: 16,
    group: data,
  }),
  reward: option({
    schema: text({ maxLength: 300 }),
    description:
      "metric that compares with the full cache's text (cosine, rouge_l, exact_prefix, ...), log_prob: that text's probability, mix:<name>=<weight>,... of them, or dataset: the dataset's own metric",
    default: 'cosine',
    group: data,
  }),
  keyPrice: option({
    schema: number({ min: 0, max: 1 }),
    description:
      'price of the kept keys: what is learnt is max(0, reward - price x kept keys / keys of the prompt); 0 = they cost nothing',
    default: 0,
    group: data,
  }),

  iterations: option({
    schema: count,
    description: 'last iteration, also of a resumed run',
    default: 1000,
    group: learning,
  }),
  episodesPerUpdate: option({
    schema: integer({ min: 1, max: 1024 }), // the policy's --max_batch
    description: 'episodes per iteration',
    default: 256,
    group: learning,
  }),
  feedback: option({
    schema: oneOf(feedbacks),
    description:
      "what an episode teaches: bandit, the reward of the chosen action; full, the rewards of all actions, from one sweep for each prompt's first episode",
    default: 'bandit',
    group: learning,
  }),
  agent: option({
    schema: oneOf(agentNames()),
    description: `learning algorithm of a new policy: ${agentNames().join(', ')}`,
    default: defaultAgent,
    group: learning,
  }),
  hidden: option({
    schema: integer({ min: 1, max: maxHidden }),
    description: 'width of both hidden layers of a new policy, for algorithms with a network',
    default: defaultHidden,
    group: learning,
  }),
  lr: option({
    schema: number({ min: 1e-12, max: 1 }),
    description: 'learning rate of Adam',
    default: 3e-4,
    group: learning,
  }),
  ucbBeta: option({
    schema: number({ min: 0, max: 1e6 }),
    description: 'weight of the exploration bonus',
    default: 1,
    group: learning,
  }),
  uncertaintyCoef: option({
    schema: number({ min: 1e-6, max: 1e6 }),
    description: 'regularisation lambda of the uncertainty: L_a starts at lambda * I',
    default: 0.1,
    group: learning,
  }),
  maxGradNorm: option({
    schema: number({ min: 1e-12, max: 1e12 }),
    description: 'bound of the gradient norm',
    default: 1,
    group: learning,
  }),
  stepsPerUpdate: option({
    schema: integer({ min: 1, max: maxStepsPerUpdate }),
    description: "Adam steps on each iteration's experiences",
    default: 1,
    group: learning,
  }),
  aValues: option({
    schema: listOf(number({ min: 0 }), { min: 1, max: 64 }),
    list: true,
    description: 'steepness values of the action space',
    default: [...ActionSpace.default.aValues],
    group: learning,
  }),
  bValues: option({
    schema: listOf(integer({ min: 1 }), { min: 1, max: 64 }),
    list: true,
    description: 'offsets of the action space, in tokens',
    default: [...ActionSpace.default.bValues],
    group: learning,
  }),
  seed: option({
    schema: integer({ min: 0 }),
    description: 'seed of the first weights and of the order of prompts',
    default: 42,
    group: learning,
  }),

  saveDir: option({ schema: folder, description: 'folder of the run', default: 'runs/a2sf_rl', group: run }),
  resume: option({
    schema: folder,
    description:
      'go on from a policy_N.safetensors, or from the last one of a folder; flags not given are those of the run. A policy_N.pt of the reference begins a new run in --save_dir, with the learning flags of its record',
    group: run,
  }),
  overwrite: option({
    schema: boolean,
    description: 'start anew in a folder that holds a run; its files are deleted',
    default: false,
    group: run,
  }),
  evalFrequency: option({ schema: count, description: 'iterations between evaluations', default: 100, group: run }),
  logFrequency: option({
    schema: count,
    description: 'iterations between lines of progress.jsonl',
    default: 10,
    group: run,
  }),
  checkpointFrequency: option({
    schema: count,
    description: 'iterations between checkpoints (default: --eval_frequency)',
    group: run,
  }),

  patience: option({
    schema: integer({ min: 0, max: 1_000_000 }),
    description: 'end the run after so many evaluations without a higher reward; 0 = never',
    default: 0,
    group: run,
  }),

  generators: option({
    schema: listOf(address, { min: 1, max: 1024 }),
    list: true,
    description: 'addresses of the generators: host:port, or dns:///name:port for all addresses of the name',
    group: services,
  }),
  encoder: option({ schema: address, description: 'address of the encoder', group: services }),
  rewardService: option({ schema: address, description: 'address of the reward service', group: services }),
  policy: option({ schema: address, description: 'address of the policy', group: services }),
  waitSeconds: option({
    schema: number({ min: 0, max: 86_400 }),
    description: 'seconds that a service of these that went away is waited for, before the run ends with a checkpoint',
    default: 300,
    group: services,
  }),
  ...clientSecurityOptions(services),

  host: option({
    schema: text({ maxLength: 253 }),
    description: 'address of /metrics',
    default: '127.0.0.1',
    group: processGroup,
  }),
  httpPort: option({
    schema: port,
    description: 'port of /metrics, /healthz and /readyz; 0 = any free one',
    default: 9468,
    group: processGroup,
  }),
  logLevel: option({
    schema: oneOf(logLevels),
    description: `least level that is logged: ${logLevels.join(', ')}`,
    default: 'warn',
    group: processGroup,
  }),
} satisfies Options;

/** The values of the trainer's flags. */
export type TrainerOptions = Resolved<typeof options>;

/** Values that a command puts in the place of the defaults. */
export type Profile = Partial<{ [K in keyof TrainerOptions]: NonNullable<TrainerOptions[K]> }>;

/** The flags with a profile's values as defaults. */
export function withProfile(profile: Profile): typeof options {
  const entries = Object.entries(options).map(([key, entry]) => {
    const value = (profile as Readonly<Record<string, unknown>>)[key];
    return [key, value === undefined ? entry : { ...entry, default: value }];
  });
  return Object.fromEntries(entries) as typeof options;
}

/** The folder or file of prompts: the embedded one when none is named. */
export function dataPath({ data }: Pick<TrainerOptions, 'data'>): string {
  return data ?? embeddedData;
}
