import type { LanguageModelFamily } from '../language-model.js';
import { llamaLayers, readLlamaShape } from './llama.js';

/** Qwen2: Llama's layers with biases on the query, key and value projections. */
export const qwen2: LanguageModelFamily = {
  name: 'qwen2',
  architectures: ['Qwen2ForCausalLM'],
  weightPrefixes: [''],
  readShape(config) {
    config.expect('use_sliding_window', [false]);
    return readLlamaShape(config);
  },
  layers: (decoder, config, positions) => llamaLayers(decoder, config, positions, { qkvBias: true }),
};
