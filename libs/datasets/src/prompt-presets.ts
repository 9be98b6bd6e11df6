import type { PromptWrap } from './prompt-pipeline.js';

/** Presets whose models were tuned on `[INST]`; the reference goes by the name alone. */
const wrappedModels: ReadonlySet<string> = new Set(['llama', 'llama1', 'llama2', 'llama3']);

/** Datasets whose prompts end in examples or code to be continued: never wrapped. */
const plainDatasets: ReadonlySet<string> = new Set(['trec', 'triviaqa', 'samsum', 'lsht', 'lcc', 'repobench-p']);

const promptTokens: ReadonlyMap<string, number> = new Map([
  ['llama', 1500],
  ['llama1', 1500],
  ['llama2', 3500],
  ['llama3', 7500],
  ['opt', 1500],
  ['qwen2', 3500],
]);

/** The wrap of a preset's prompts (`llama2`); any other model's are plain. */
export function wrapFor(modelName: string, dataset: string): PromptWrap {
  return wrappedModels.has(modelName) && !plainDatasets.has(dataset) ? 'inst' : 'none';
}

/** Longest prompt of a preset in tokens, undefined for any other model. */
export function promptTokensOf(modelName: string): number | undefined {
  return promptTokens.get(modelName);
}
