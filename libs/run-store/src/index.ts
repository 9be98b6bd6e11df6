export { removeLeftovers, writeFileAtomically } from './atomic-file.js';
export { CheckpointFolder, checkpointName } from './checkpoint-folder.js';
export { JsonlLog, type JsonlOptions } from './jsonl-log.js';
export {
  checkpointFormatVersion,
  decodePolicyCheckpoint,
  encodePolicyCheckpoint,
  type DecodedCheckpoint,
  type HyperParameters,
  type PolicyCheckpoint,
} from './policy-checkpoint.js';
export { RunLock } from './run-lock.js';
export { isTorchCheckpoint, readTorchCheckpoint, type ConfigValue, type TorchCheckpoint } from './torch-checkpoint.js';
