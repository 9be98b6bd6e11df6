export { ConfigReader } from './config-reader.js';
export { ModelWeights } from './model-weights.js';
export type { LanguageModelFamily, LanguageModelShape } from './language-model.js';
export { llama } from './families/llama.js';
export { loadLanguageModel, type LoadedLanguageModel, type LoadLanguageModelOptions } from './load-language-model.js';
export { type WeightFormat } from './quantisation.js';
export { m2Bert } from './families/m2-bert.js';
export { hasOnnxExport, openOnnxExport, type OnnxExport } from './onnx-export.js';
export { readSentenceTransformersHead, type SentenceTransformersHead } from './sentence-transformers.js';
export { readModelConfig } from './model-config.js';
export { readModelJson, readModelText } from './model-json.js';
export { resolveModelFolder, type ModelFolder, type ModelKind } from './model-folder.js';
export { obtainModelFolder, type ObtainOptions } from './obtain-model-folder.js';
export type { DownloadProgress } from './hub-download.js';
export { modelPresets, type ModelPreset } from './model-presets.js';
export { textEncoderFamilies, textEncoderFamilyOf } from './text-encoder-families.js';
export type {
  LengthTables,
  Pooling,
  TableInput,
  TableInputs,
  TablePart,
  TextEncoderFamily,
  TextEncoderGraph,
  TextEncoderOutput,
  TextEncoderShape,
} from './text-encoder.js';
