// The contract's messages: `X` is what is sent (every field optional), `XOutput` what is received (defaults filled in).
export type { Action, Action__Output as ActionOutput } from './gen/a2sf/types/v1/Action.js';
export type { Compression, Compression__Output as CompressionOutput } from './gen/a2sf/types/v1/Compression.js';
export type { Embedding, Embedding__Output as EmbeddingOutput } from './gen/a2sf/types/v1/Embedding.js';
export type { Prompt, Prompt__Output as PromptOutput } from './gen/a2sf/types/v1/Prompt.js';
export type { TokenIds, TokenIds__Output as TokenIdsOutput } from './gen/a2sf/types/v1/TokenIds.js';
export type {
  EncodeRequest,
  EncodeRequest__Output as EncodeRequestOutput,
} from './gen/a2sf/encoder/v1/EncodeRequest.js';
export type {
  EncodeResponse,
  EncodeResponse__Output as EncodeResponseOutput,
} from './gen/a2sf/encoder/v1/EncodeResponse.js';
export type {
  EncoderServiceHandlers,
  EncoderServiceDefinition,
  EncoderServiceClient as EncoderServiceStub,
} from './gen/a2sf/encoder/v1/EncoderService.js';
export type {
  GetInfoRequest as EncoderInfoRequest,
  GetInfoRequest__Output as EncoderInfoRequestOutput,
} from './gen/a2sf/encoder/v1/GetInfoRequest.js';
export type {
  GetInfoResponse as EncoderInfoResponse,
  GetInfoResponse__Output as EncoderInfoResponseOutput,
} from './gen/a2sf/encoder/v1/GetInfoResponse.js';
export type { Continuation, Continuation__Output as ContinuationOutput } from './gen/a2sf/generator/v1/Continuation.js';
export type { FinishReason, FinishReason__Output as FinishReasonOutput } from './gen/a2sf/generator/v1/FinishReason.js';
export type {
  ComparedSelections,
  ComparedSelections__Output as ComparedSelectionsOutput,
} from './gen/a2sf/generator/v1/ComparedSelections.js';
export type {
  GenerateRequest,
  GenerateRequest__Output as GenerateRequestOutput,
} from './gen/a2sf/generator/v1/GenerateRequest.js';
export type {
  GenerateResponse,
  GenerateResponse__Output as GenerateResponseOutput,
} from './gen/a2sf/generator/v1/GenerateResponse.js';
export type {
  GeneratorServiceHandlers,
  GeneratorServiceDefinition,
  GeneratorServiceClient as GeneratorServiceStub,
} from './gen/a2sf/generator/v1/GeneratorService.js';
export type {
  GetInfoRequest as GeneratorInfoRequest,
  GetInfoRequest__Output as GeneratorInfoRequestOutput,
} from './gen/a2sf/generator/v1/GetInfoRequest.js';
export type {
  GetInfoResponse as GeneratorInfoResponse,
  GetInfoResponse__Output as GeneratorInfoResponseOutput,
} from './gen/a2sf/generator/v1/GetInfoResponse.js';
export type {
  InspectRequest,
  InspectRequest__Output as InspectRequestOutput,
} from './gen/a2sf/generator/v1/InspectRequest.js';
export type {
  InspectResponse,
  InspectResponse__Output as InspectResponseOutput,
} from './gen/a2sf/generator/v1/InspectResponse.js';
export type {
  InspectedHead,
  InspectedHead__Output as InspectedHeadOutput,
} from './gen/a2sf/generator/v1/InspectedHead.js';
export type {
  InspectedLayer,
  InspectedLayer__Output as InspectedLayerOutput,
} from './gen/a2sf/generator/v1/InspectedLayer.js';
export type { PromptWrap, PromptWrap__Output as PromptWrapOutput } from './gen/a2sf/generator/v1/PromptWrap.js';
export type { Sampling, Sampling__Output as SamplingOutput } from './gen/a2sf/generator/v1/Sampling.js';
export type {
  ScoreContinuationRequest,
  ScoreContinuationRequest__Output as ScoreContinuationRequestOutput,
} from './gen/a2sf/generator/v1/ScoreContinuationRequest.js';
export type {
  ScoreContinuationResponse,
  ScoreContinuationResponse__Output as ScoreContinuationResponseOutput,
} from './gen/a2sf/generator/v1/ScoreContinuationResponse.js';
export type {
  ScoreStatistics,
  ScoreStatistics__Output as ScoreStatisticsOutput,
} from './gen/a2sf/generator/v1/ScoreStatistics.js';
export type {
  SelectionOverlap,
  SelectionOverlap__Output as SelectionOverlapOutput,
} from './gen/a2sf/generator/v1/SelectionOverlap.js';
export type { SweepRequest, SweepRequest__Output as SweepRequestOutput } from './gen/a2sf/generator/v1/SweepRequest.js';
export type {
  SweepResponse,
  SweepResponse__Output as SweepResponseOutput,
} from './gen/a2sf/generator/v1/SweepResponse.js';
export type { SweepResult, SweepResult__Output as SweepResultOutput } from './gen/a2sf/generator/v1/SweepResult.js';
export type { TopTokens, TopTokens__Output as TopTokensOutput } from './gen/a2sf/generator/v1/TopTokens.js';
export type { Usage, Usage__Output as UsageOutput } from './gen/a2sf/generator/v1/Usage.js';
export type {
  DatasetMetric,
  DatasetMetric__Output as DatasetMetricOutput,
} from './gen/a2sf/reward/v1/DatasetMetric.js';
export type {
  ListMetricsRequest,
  ListMetricsRequest__Output as ListMetricsRequestOutput,
} from './gen/a2sf/reward/v1/ListMetricsRequest.js';
export type {
  ListMetricsResponse,
  ListMetricsResponse__Output as ListMetricsResponseOutput,
} from './gen/a2sf/reward/v1/ListMetricsResponse.js';
export type {
  RewardServiceHandlers,
  RewardServiceDefinition,
  RewardServiceClient as RewardServiceStub,
} from './gen/a2sf/reward/v1/RewardService.js';
export type { ScoreItem, ScoreItem__Output as ScoreItemOutput } from './gen/a2sf/reward/v1/ScoreItem.js';
export type { ScoreRequest, ScoreRequest__Output as ScoreRequestOutput } from './gen/a2sf/reward/v1/ScoreRequest.js';
export type {
  ScoreResponse,
  ScoreResponse__Output as ScoreResponseOutput,
} from './gen/a2sf/reward/v1/ScoreResponse.js';
export type { Candidate, Candidate__Output as CandidateOutput } from './gen/a2sf/policy/v1/Candidate.js';
export type {
  FullCacheReason,
  FullCacheReason__Output as FullCacheReasonOutput,
} from './gen/a2sf/policy/v1/FullCacheReason.js';
export type {
  PromoteChallengerRequest,
  PromoteChallengerRequest__Output as PromoteChallengerRequestOutput,
} from './gen/a2sf/policy/v1/PromoteChallengerRequest.js';
export type {
  PromoteChallengerResponse,
  PromoteChallengerResponse__Output as PromoteChallengerResponseOutput,
} from './gen/a2sf/policy/v1/PromoteChallengerResponse.js';
export type { Experience, Experience__Output as ExperienceOutput } from './gen/a2sf/policy/v1/Experience.js';
export type {
  ExportCheckpointRequest,
  ExportCheckpointRequest__Output as ExportCheckpointRequestOutput,
} from './gen/a2sf/policy/v1/ExportCheckpointRequest.js';
export type {
  ExportCheckpointResponse,
  ExportCheckpointResponse__Output as ExportCheckpointResponseOutput,
} from './gen/a2sf/policy/v1/ExportCheckpointResponse.js';
export type {
  GetInfoRequest as PolicyInfoRequest,
  GetInfoRequest__Output as PolicyInfoRequestOutput,
} from './gen/a2sf/policy/v1/GetInfoRequest.js';
export type {
  GetInfoResponse as PolicyInfoResponse,
  GetInfoResponse__Output as PolicyInfoResponseOutput,
} from './gen/a2sf/policy/v1/GetInfoResponse.js';
export type {
  HyperParameters,
  HyperParameters__Output as HyperParametersOutput,
} from './gen/a2sf/policy/v1/HyperParameters.js';
export type {
  ImportCheckpointRequest,
  ImportCheckpointRequest__Output as ImportCheckpointRequestOutput,
} from './gen/a2sf/policy/v1/ImportCheckpointRequest.js';
export type {
  ImportCheckpointResponse,
  ImportCheckpointResponse__Output as ImportCheckpointResponseOutput,
} from './gen/a2sf/policy/v1/ImportCheckpointResponse.js';
export type {
  PolicyServiceHandlers,
  PolicyServiceDefinition,
  PolicyServiceClient as PolicyServiceStub,
} from './gen/a2sf/policy/v1/PolicyService.js';
export type {
  SelectActionRequest,
  SelectActionRequest__Output as SelectActionRequestOutput,
} from './gen/a2sf/policy/v1/SelectActionRequest.js';
export type {
  SelectActionResponse,
  SelectActionResponse__Output as SelectActionResponseOutput,
} from './gen/a2sf/policy/v1/SelectActionResponse.js';
export type {
  SelectActionsRequest,
  SelectActionsRequest__Output as SelectActionsRequestOutput,
} from './gen/a2sf/policy/v1/SelectActionsRequest.js';
export type {
  SelectActionsResponse,
  SelectActionsResponse__Output as SelectActionsResponseOutput,
} from './gen/a2sf/policy/v1/SelectActionsResponse.js';
export type {
  UpdateRequest,
  UpdateRequest__Output as UpdateRequestOutput,
} from './gen/a2sf/policy/v1/UpdateRequest.js';
export type {
  UpdateResponse,
  UpdateResponse__Output as UpdateResponseOutput,
} from './gen/a2sf/policy/v1/UpdateResponse.js';
export type {
  WatchPolicyRequest,
  WatchPolicyRequest__Output as WatchPolicyRequestOutput,
} from './gen/a2sf/policy/v1/WatchPolicyRequest.js';
export type {
  WatchPolicyResponse,
  WatchPolicyResponse__Output as WatchPolicyResponseOutput,
} from './gen/a2sf/policy/v1/WatchPolicyResponse.js';
export type { Span, Span__Output as SpanOutput } from './gen/a2sf/types/v1/Span.js';
