export { memorySource, withFileSource, type ByteSource, type FilePart } from './byte-source.js';
export { byteLengthOf, bytesPerElement, isDType, type DType } from './dtype.js';
export { openSafetensors, readTensor, type SafetensorsFile } from './safetensors-file.js';
export {
  encodeSafetensors,
  parseSafetensors,
  readSafetensorsHeader,
  type SafetensorsContent,
  type Tensor,
} from './safetensors-bytes.js';
export { layOutSafetensors, type SafetensorsLayout } from './safetensors-layout.js';
export { type SafetensorsHeader, type TensorInfo } from './safetensors-header.js';
export { parseStrictJson, StrictJsonError, type StrictJson, type StrictJsonLimits } from './strict-json.js';
export { toFloat32 } from './to-float32.js';
export { openWeightFile, openWeights, type WeightFile, type WeightIndex } from './weights.js';
export {
  isTorchFile,
  openTorchFile,
  readTorchTensor,
  TorchObject,
  verifyTorchFile,
  type NamedTorchTensor,
  type TorchFile,
  type TorchValue,
} from './torch-file.js';
export { TorchTensor } from './torch-tensor.js';
