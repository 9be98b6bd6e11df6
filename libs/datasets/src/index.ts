export { fillTemplate, type Dataset } from './dataset.js';
export { datasetNamed, datasetNames, findDataset } from './datasets.js';
export { builtInHaystack, haystackOf, type Haystack } from './haystack.js';
export { minNeedleLength, needleRows, type NeedleGrid, type NeedleRow } from './needle-rows.js';
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
export { writeRow, type PromptRow } from './prompt-row.js';
export { maxLineBytes, maxLineLength, RowCollector } from './row-collector.js';
export {
  contentHash,
  normalisedPrompt,
  sides,
  splitRows,
  type PlacedRow,
  type Sha256,
  type Side,
  type SplitRows,
  type SplitShares,
} from './split-rows.js';
export { taskOf, tasks, type Task } from './tasks.js';
