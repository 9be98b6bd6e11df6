export { removeLeftovers, writeFileAtomically } from './atomic-file.js';
export { CheckpointFolder, checkpointName } from './checkpoint-folder.js';
export {
  decodeContext,
  encodeContext,
  isDecisionId,
  newDecisionId,
  type DecisionLine,
  type DecisionLogLine,
  type RewardLine,
  type ShadowChoice,
} from './decision-log.js';
export { readDecisions } from './decision-log-reader.js';
export { DecisionLog, type DecisionLogOptions } from './decision-log-writer.js';
export { EmbeddingFile, type EmbeddingEntry, type StoredEmbedding } from './embedding-file.js';
export { failpoint, failpoints, type Failpoint } from './failpoint.js';
export { JsonlLog, type JsonlOptions } from './jsonl-log.js';
export {
  checkpointFormatVersion,
  decodePolicyCheckpoint,
  encodePolicyCheckpoint,
  policyCheckpointParts,
  withPolicyCheckpoint,
  type CheckpointInput,
  type CheckpointParts,
  type DecodedCheckpoint,
  type HyperParameters,
  type PolicyCheckpoint,
} from './policy-checkpoint.js';
export { RecordLog, type LogRecovery, type PreparedSegment, type RecordLogOptions } from './record-log.js';
export { RunLock } from './run-lock.js';
export { storageError } from './storage-error.js';
export { SnapshotFolder, snapshotName, type SnapshotContent, type StoredSnapshot } from './snapshot-folder.js';
export { isTorchCheckpoint, readTorchCheckpoint, type ConfigValue, type TorchCheckpoint } from './torch-checkpoint.js';
