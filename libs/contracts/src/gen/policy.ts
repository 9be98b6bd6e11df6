import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Candidate as _a2sf_policy_v1_Candidate, Candidate__Output as _a2sf_policy_v1_Candidate__Output } from './a2sf/policy/v1/Candidate.js';
import type { Experience as _a2sf_policy_v1_Experience, Experience__Output as _a2sf_policy_v1_Experience__Output } from './a2sf/policy/v1/Experience.js';
import type { ExportCheckpointRequest as _a2sf_policy_v1_ExportCheckpointRequest, ExportCheckpointRequest__Output as _a2sf_policy_v1_ExportCheckpointRequest__Output } from './a2sf/policy/v1/ExportCheckpointRequest.js';
import type { ExportCheckpointResponse as _a2sf_policy_v1_ExportCheckpointResponse, ExportCheckpointResponse__Output as _a2sf_policy_v1_ExportCheckpointResponse__Output } from './a2sf/policy/v1/ExportCheckpointResponse.js';
import type { GetInfoRequest as _a2sf_policy_v1_GetInfoRequest, GetInfoRequest__Output as _a2sf_policy_v1_GetInfoRequest__Output } from './a2sf/policy/v1/GetInfoRequest.js';
import type { GetInfoResponse as _a2sf_policy_v1_GetInfoResponse, GetInfoResponse__Output as _a2sf_policy_v1_GetInfoResponse__Output } from './a2sf/policy/v1/GetInfoResponse.js';
import type { HyperParameters as _a2sf_policy_v1_HyperParameters, HyperParameters__Output as _a2sf_policy_v1_HyperParameters__Output } from './a2sf/policy/v1/HyperParameters.js';
import type { ImportCheckpointRequest as _a2sf_policy_v1_ImportCheckpointRequest, ImportCheckpointRequest__Output as _a2sf_policy_v1_ImportCheckpointRequest__Output } from './a2sf/policy/v1/ImportCheckpointRequest.js';
import type { ImportCheckpointResponse as _a2sf_policy_v1_ImportCheckpointResponse, ImportCheckpointResponse__Output as _a2sf_policy_v1_ImportCheckpointResponse__Output } from './a2sf/policy/v1/ImportCheckpointResponse.js';
import type { PolicyServiceClient as _a2sf_policy_v1_PolicyServiceClient, PolicyServiceDefinition as _a2sf_policy_v1_PolicyServiceDefinition } from './a2sf/policy/v1/PolicyService.js';
import type { PromoteChallengerRequest as _a2sf_policy_v1_PromoteChallengerRequest, PromoteChallengerRequest__Output as _a2sf_policy_v1_PromoteChallengerRequest__Output } from './a2sf/policy/v1/PromoteChallengerRequest.js';
import type { PromoteChallengerResponse as _a2sf_policy_v1_PromoteChallengerResponse, PromoteChallengerResponse__Output as _a2sf_policy_v1_PromoteChallengerResponse__Output } from './a2sf/policy/v1/PromoteChallengerResponse.js';
import type { SelectActionRequest as _a2sf_policy_v1_SelectActionRequest, SelectActionRequest__Output as _a2sf_policy_v1_SelectActionRequest__Output } from './a2sf/policy/v1/SelectActionRequest.js';
import type { SelectActionResponse as _a2sf_policy_v1_SelectActionResponse, SelectActionResponse__Output as _a2sf_policy_v1_SelectActionResponse__Output } from './a2sf/policy/v1/SelectActionResponse.js';
import type { SelectActionsRequest as _a2sf_policy_v1_SelectActionsRequest, SelectActionsRequest__Output as _a2sf_policy_v1_SelectActionsRequest__Output } from './a2sf/policy/v1/SelectActionsRequest.js';
import type { SelectActionsResponse as _a2sf_policy_v1_SelectActionsResponse, SelectActionsResponse__Output as _a2sf_policy_v1_SelectActionsResponse__Output } from './a2sf/policy/v1/SelectActionsResponse.js';
import type { UpdateRequest as _a2sf_policy_v1_UpdateRequest, UpdateRequest__Output as _a2sf_policy_v1_UpdateRequest__Output } from './a2sf/policy/v1/UpdateRequest.js';
import type { UpdateResponse as _a2sf_policy_v1_UpdateResponse, UpdateResponse__Output as _a2sf_policy_v1_UpdateResponse__Output } from './a2sf/policy/v1/UpdateResponse.js';
import type { WatchPolicyRequest as _a2sf_policy_v1_WatchPolicyRequest, WatchPolicyRequest__Output as _a2sf_policy_v1_WatchPolicyRequest__Output } from './a2sf/policy/v1/WatchPolicyRequest.js';
import type { WatchPolicyResponse as _a2sf_policy_v1_WatchPolicyResponse, WatchPolicyResponse__Output as _a2sf_policy_v1_WatchPolicyResponse__Output } from './a2sf/policy/v1/WatchPolicyResponse.js';
import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from './a2sf/types/v1/Action.js';
import type { Compression as _a2sf_types_v1_Compression, Compression__Output as _a2sf_types_v1_Compression__Output } from './a2sf/types/v1/Compression.js';
import type { Embedding as _a2sf_types_v1_Embedding, Embedding__Output as _a2sf_types_v1_Embedding__Output } from './a2sf/types/v1/Embedding.js';
import type { Prompt as _a2sf_types_v1_Prompt, Prompt__Output as _a2sf_types_v1_Prompt__Output } from './a2sf/types/v1/Prompt.js';
import type { Span as _a2sf_types_v1_Span, Span__Output as _a2sf_types_v1_Span__Output } from './a2sf/types/v1/Span.js';
import type { TokenIds as _a2sf_types_v1_TokenIds, TokenIds__Output as _a2sf_types_v1_TokenIds__Output } from './a2sf/types/v1/TokenIds.js';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  a2sf: {
    policy: {
      v1: {
        Candidate: MessageTypeDefinition<_a2sf_policy_v1_Candidate, _a2sf_policy_v1_Candidate__Output>
        Experience: MessageTypeDefinition<_a2sf_policy_v1_Experience, _a2sf_policy_v1_Experience__Output>
        ExportCheckpointRequest: MessageTypeDefinition<_a2sf_policy_v1_ExportCheckpointRequest, _a2sf_policy_v1_ExportCheckpointRequest__Output>
        ExportCheckpointResponse: MessageTypeDefinition<_a2sf_policy_v1_ExportCheckpointResponse, _a2sf_policy_v1_ExportCheckpointResponse__Output>
        FullCacheReason: EnumTypeDefinition
        GetInfoRequest: MessageTypeDefinition<_a2sf_policy_v1_GetInfoRequest, _a2sf_policy_v1_GetInfoRequest__Output>
        GetInfoResponse: MessageTypeDefinition<_a2sf_policy_v1_GetInfoResponse, _a2sf_policy_v1_GetInfoResponse__Output>
        HyperParameters: MessageTypeDefinition<_a2sf_policy_v1_HyperParameters, _a2sf_policy_v1_HyperParameters__Output>
        ImportCheckpointRequest: MessageTypeDefinition<_a2sf_policy_v1_ImportCheckpointRequest, _a2sf_policy_v1_ImportCheckpointRequest__Output>
        ImportCheckpointResponse: MessageTypeDefinition<_a2sf_policy_v1_ImportCheckpointResponse, _a2sf_policy_v1_ImportCheckpointResponse__Output>
        PolicyService: SubtypeConstructor<typeof grpc.Client, _a2sf_policy_v1_PolicyServiceClient> & { service: _a2sf_policy_v1_PolicyServiceDefinition }
        PromoteChallengerRequest: MessageTypeDefinition<_a2sf_policy_v1_PromoteChallengerRequest, _a2sf_policy_v1_PromoteChallengerRequest__Output>
        PromoteChallengerResponse: MessageTypeDefinition<_a2sf_policy_v1_PromoteChallengerResponse, _a2sf_policy_v1_PromoteChallengerResponse__Output>
        SelectActionRequest: MessageTypeDefinition<_a2sf_policy_v1_SelectActionRequest, _a2sf_policy_v1_SelectActionRequest__Output>
        SelectActionResponse: MessageTypeDefinition<_a2sf_policy_v1_SelectActionResponse, _a2sf_policy_v1_SelectActionResponse__Output>
        SelectActionsRequest: MessageTypeDefinition<_a2sf_policy_v1_SelectActionsRequest, _a2sf_policy_v1_SelectActionsRequest__Output>
        SelectActionsResponse: MessageTypeDefinition<_a2sf_policy_v1_SelectActionsResponse, _a2sf_policy_v1_SelectActionsResponse__Output>
        UpdateRequest: MessageTypeDefinition<_a2sf_policy_v1_UpdateRequest, _a2sf_policy_v1_UpdateRequest__Output>
        UpdateResponse: MessageTypeDefinition<_a2sf_policy_v1_UpdateResponse, _a2sf_policy_v1_UpdateResponse__Output>
        WatchPolicyRequest: MessageTypeDefinition<_a2sf_policy_v1_WatchPolicyRequest, _a2sf_policy_v1_WatchPolicyRequest__Output>
        WatchPolicyResponse: MessageTypeDefinition<_a2sf_policy_v1_WatchPolicyResponse, _a2sf_policy_v1_WatchPolicyResponse__Output>
      }
    }
    types: {
      v1: {
        Action: MessageTypeDefinition<_a2sf_types_v1_Action, _a2sf_types_v1_Action__Output>
        Compression: MessageTypeDefinition<_a2sf_types_v1_Compression, _a2sf_types_v1_Compression__Output>
        Embedding: MessageTypeDefinition<_a2sf_types_v1_Embedding, _a2sf_types_v1_Embedding__Output>
        Prompt: MessageTypeDefinition<_a2sf_types_v1_Prompt, _a2sf_types_v1_Prompt__Output>
        Span: MessageTypeDefinition<_a2sf_types_v1_Span, _a2sf_types_v1_Span__Output>
        TokenIds: MessageTypeDefinition<_a2sf_types_v1_TokenIds, _a2sf_types_v1_TokenIds__Output>
      }
    }
  }
  google: {
    protobuf: {
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
}

