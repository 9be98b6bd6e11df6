import { boolean, integer, option, text } from '@a2sf/config';
import { serverOptionsWithPorts } from '@a2sf/grpc-runtime';

const model = 'Model';
const embeddings = 'Embeddings';
const limits = 'Limits';

/** The flags of `a2sf serve encoder`. */
export const options = {
  ...serverOptionsWithPorts({ port: 50051, httpPort: 9464 }),
  modelName: option({ schema: text(), description: 'folder or hub id (default: the embedded encoder)', group: model }),
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
  threads: option({
    schema: integer({ min: 1, max: 1024 }),
    description: 'threads of one operator',
    default: 2,
    group: model,
  }),
  tableBytes: option({
    schema: integer({ min: 0, max: 2 ** 33 }),
    description:
      'most bytes of the tables that are kept (M2-BERT: its filters’ spectra, by length of text); what has no room is made in every run (default: 512 MiB)',
    group: model,
  }),
  promptStatistics: option({
    schema: boolean,
    description: 'append eight statistics of the text to each embedding; a policy trained without refuses them',
    default: false,
    group: embeddings,
  }),
  cacheBytes: option({
    schema: integer({ min: 0, max: 1 << 30 }),
    description: 'most bytes of embeddings that are kept for equal inputs to come; 0 = none',
    default: 64 << 20,
    group: embeddings,
  }),
  batchWindowMs: option({
    schema: integer({ min: 0, max: 1000 }),
    description:
      'ms that an idle model waits for more requests to run together; what waits for a busy one is joined anyway',
    default: 0,
    group: embeddings,
  }),
  maxBatch: option({
    schema: integer({ min: 1, max: 100_000 }),
    description: 'most prompts of one request',
    default: 256,
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
    description: 'requests that may wait or run; more are refused at once',
    default: 64,
    group: limits,
  }),
};
