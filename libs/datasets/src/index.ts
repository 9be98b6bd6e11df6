export { fillTemplate, type Dataset } from './dataset.js';
export { datasetNamed, datasetNames, findDataset } from './datasets.js';
export { parseRows } from './parse-rows.js';
export { promptOrder, type PromptOrder } from './prompt-order.js';
export {
  preparePrompt,
  splitEnds,
  type PreparedPrompt,
  type PromptOptions,
  type PromptTokenizer,
  type PromptWrap,
} from './prompt-pipeline.js';
export { promptTokensOf, wrapFor } from './prompt-presets.js';
export type { PromptRow } from './prompt-row.js';
