export { baselineNames, baselines, mean, type Baseline, type BaselineName, type RewardRow } from './baselines.js';
export type { Choices } from './choices.js';
export { lookUp, tryActions, type Earned, type Settle, type TryingContext } from './episodes.js';
export {
  Evaluation,
  type BaselineInterval,
  type ByBaseline,
  type DatasetEvaluation,
  type EvaluationLine,
} from './evaluation.js';
export type { GenerationSettings } from './generation.js';
export { GeneratorMembers, type MemberOptions, type ResolveName } from './generator-members.js';
export { GrpcPeers, type PeerAddresses, type PeerOptions, type PeerTimeouts } from './grpc-peers.js';
export { GrpcPolicy, type PeerPatience } from './grpc-policy.js';
export { initialPolicy, type InitialPolicyOptions } from './initial-policy.js';
export {
  collectBatch,
  feedbacks,
  type Batch,
  type Episode,
  type Feedback,
  type IterationContext,
} from './iteration.js';
export { everyIndex, type KnownPrompts } from './known-prompts.js';
export { LivePrompts, type LiveContext } from './live-prompts.js';
export { MemberPool, type MemberFault, type PoolOptions } from './member-pool.js';
export type {
  Choice,
  Embedding,
  Experience,
  PeerInfo,
  Peers,
  PolicyPeer,
  ScoreTask,
  SelectionMode,
  SweepOutcome,
  SweepTask,
  SweptText,
  UpdateResult,
} from './peers.js';
export { promptSetHash, readPrompts, type PromptSelection, type PromptSets } from './prompt-files.js';
export { PromptMemory, type EmbeddingStore } from './prompt-memory.js';
export type { Prompt } from './prompt.js';
export { resultsTable } from './results-table.js';
export { findResumePoint, resumedPolicy, type ResumePoint } from './resume-point.js';
export type { RewardLine, RewardLines } from './reward-lines.js';
export { RewardRule } from './reward-rule.js';
export {
  definitionHash,
  requireSameIdentities,
  requireSameSpace,
  runIdOf,
  type RunDefinition,
  type RunIdentities,
} from './run-definition.js';
export { claimFolder, configFile, RunFolder, type FolderClaim, type FolderUse } from './run-folder.js';
export type { BestCheckpoint, ProgressLine, RunRecords } from './run-records.js';
export { StageClock, stages, type Stage, type StageSeconds } from './stage-clock.js';
export { readStoredPrompts, StoredPrompts, type StoredSets, type StoreSelection } from './stored-prompts.js';
export {
  train,
  type TrainingContext,
  type TrainingObserver,
  type TrainingOutcome,
  type TrainingSettings,
  type TrainingStart,
} from './training.js';
export { isDiskFull, waitForRoom, type RoomOptions, type Writing } from './wait-for-room.js';
