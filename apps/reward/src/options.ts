import { boolean, integer, option, text } from '@a2sf/config';
import { serverOptionsWithPorts } from '@a2sf/grpc-runtime';

const encoder = 'Encoder of the cosine reward';

/** The flags of `a2sf serve reward`. */
export const options = {
  ...serverOptionsWithPorts({ port: 50053, httpPort: 9466 }),
  maxItems: option({
    schema: integer({ min: 1, max: 100_000 }),
    description: 'most items of one request',
    default: 1024,
    group: 'Limits',
  }),
  modelName: option({
    schema: text(),
    description: 'folder or hub id, loaded at the first cosine (default: the embedded encoder)',
    group: encoder,
  }),
  revision: option({
    schema: text({ maxLength: 200 }),
    description: 'branch, tag or commit of a model of the Hugging Face hub (default: main)',
    group: encoder,
  }),
  offline: option({
    schema: boolean,
    description: 'load no model from the Hugging Face hub, only from its cache; HF_HUB_OFFLINE=1 says the same',
    default: false,
    group: encoder,
  }),
  device: option({
    schema: text({ maxLength: 32 }),
    description: 'where the encoder runs: cpu, webgpu, cuda, or cuda:N for card N (docs/devices.md)',
    default: 'cpu',
    group: encoder,
  }),
  threads: option({
    schema: integer({ min: 1, max: 1024 }),
    description: 'threads of one operator',
    default: 1,
    group: encoder,
  }),
};
