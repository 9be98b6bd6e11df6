import { boolean, integer, oneOf, option, text } from '@a2sf/config';
import { serverOptionsWithPorts } from '@a2sf/grpc-runtime';

const model = 'Model';
const limits = 'Limits';

/** The flags of `a2sf serve generator`. */
export const options = {
  ...serverOptionsWithPorts({ port: 50052, httpPort: 9465 }),
  modelName: option({
    schema: text(),
    description: 'preset, folder or hub id (default: the embedded model)',
    group: model,
  }),
  revision: option({
    schema: text({ maxLength: 200 }),
    description: 'branch, tag or commit of a model of the Hugging Face hub (default: main)',
    group: model,
  }),
  offline: option({
    schema: boolean,
    description: 'load no model from the Hugging Face hub, only from its cache; HF_HUB_OFFLINE=1 says the same',
    default: false,
    group: model,
  }),
  device: option({
    schema: text({ maxLength: 32 }),
    description: 'where the model runs: cpu, webgpu, cuda, or cuda:N for card N (docs/devices.md)',
    default: 'cpu',
    group: model,
  }),
  weights: option({
    schema: oneOf(['float32', 'int8', 'int4']),
    description: 'how linear layers are kept: as they are, or in blocks of 8 or 4 bits (docs/quantisation.md)',
    default: 'float32',
    group: model,
  }),
  threads: option({
    schema: integer({ min: 1, max: 1024 }),
    description: 'threads of one operator',
    default: 2,
    group: model,
  }),
  slots: option({
    schema: integer({ min: 1, max: 4096 }),
    description: 'compressed caches that are decoded together',
    default: 64,
    group: model,
  }),
  stepsPerRun: option({
    schema: integer({ min: 1, max: 256 }),
    description:
      'greedy tokens that one run of the model decodes: a card takes over the cache once for all of them, texts come in pieces (default: 8 on cuda, else 1)',
    group: model,
  }),
  slotBytes: option({
    schema: integer({ min: 1, max: 2 ** 46 }),
    description:
      'bytes that the caches decoded together may take; texts wait for room, one that can never fit is refused',
    default: 2 ** 31,
    group: limits,
  }),
  contextTokens: option({
    schema: integer({ min: 8, max: 1_048_576 }),
    description: 'positions to make room for, in tokens (default: the model’s own, at most 16384)',
    group: model,
  }),
  maxPromptTokens: option({
    schema: integer({ min: 2, max: 1_048_576 }),
    description: 'longest prompt in tokens (default: the preset’s, else the context less 512)',
    group: limits,
  }),
  maxNewTokensLimit: option({
    schema: integer({ min: 1, max: 1_048_576 }),
    description: 'most new tokens of one request',
    default: 512,
    group: limits,
  }),
  maxPromptBytes: option({
    schema: integer({ min: 1, max: 1 << 30 }),
    description: 'longest prompt text in bytes',
    default: 4 << 20,
    group: limits,
  }),
  maxQueue: option({
    schema: integer({ min: 1, max: 100_000 }),
    description: 'requests that may wait or run, of one client at most 7/8 of them; more are refused at once',
    default: 64,
    group: limits,
  }),
};
