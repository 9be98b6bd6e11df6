export { ConfigReader } from './config-reader.js';
export { ModelWeights } from './model-weights.js';
export type { LanguageModelFamily, LanguageModelShape } from './language-model.js';
export { llama } from './families/llama.js';
