export { baselineNames, baselines, mean, type Baseline, type BaselineName, type RewardRow } from './baselines.js';
export { Evaluation, type BaselineInterval, type EvaluationLine } from './evaluation.js';
export {
  evaluationRewards,
  type EvaluationContext,
  type EvaluationRewards,
  type EvaluationRewardsFile,
} from './evaluation-rewards.js';
export { GrpcPeers, type PeerAddresses, type PeerTimeouts } from './grpc-peers.js';
export { initialPolicy, type InitialPolicyOptions } from './initial-policy.js';
export { collectBatch, type Batch, type Episode, type GenerationSettings, type IterationContext } from './iteration.js';
export { MemberPool } from './member-pool.js';
export type {
  Choice,
  Embedding,
  Experience,
  PeerInfo,
  Peers,
  ScoreTask,
  SelectionMode,
  SweepOutcome,
  SweepTask,
  SweptText,
  UpdateResult,
} from './peers.js';
export { promptSetHash, readPrompts, type PromptSelection, type PromptSets } from './prompt-files.js';
export { PromptMemory } from './prompt-memory.js';
export type { Prompt } from './prompt.js';
export { resultsTable } from './results-table.js';
export { findResumePoint, resumedPolicy, type ResumePoint } from './resume-point.js';
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
export type { ProgressLine, RunRecords } from './run-records.js';
export { StageClock, stages, type Stage, type StageSeconds } from './stage-clock.js';
export {
  train,
  type TrainingContext,
  type TrainingObserver,
  type TrainingOutcome,
  type TrainingSettings,
  type TrainingStart,
} from './training.js';
