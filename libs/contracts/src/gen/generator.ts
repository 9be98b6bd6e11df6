import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { ComparedSelections as _a2sf_generator_v1_ComparedSelections, ComparedSelections__Output as _a2sf_generator_v1_ComparedSelections__Output } from './a2sf/generator/v1/ComparedSelections.js';
import type { Continuation as _a2sf_generator_v1_Continuation, Continuation__Output as _a2sf_generator_v1_Continuation__Output } from './a2sf/generator/v1/Continuation.js';
import type { GenerateRequest as _a2sf_generator_v1_GenerateRequest, GenerateRequest__Output as _a2sf_generator_v1_GenerateRequest__Output } from './a2sf/generator/v1/GenerateRequest.js';
import type { GenerateResponse as _a2sf_generator_v1_GenerateResponse, GenerateResponse__Output as _a2sf_generator_v1_GenerateResponse__Output } from './a2sf/generator/v1/GenerateResponse.js';
import type { GeneratorServiceClient as _a2sf_generator_v1_GeneratorServiceClient, GeneratorServiceDefinition as _a2sf_generator_v1_GeneratorServiceDefinition } from './a2sf/generator/v1/GeneratorService.js';
import type { GetInfoRequest as _a2sf_generator_v1_GetInfoRequest, GetInfoRequest__Output as _a2sf_generator_v1_GetInfoRequest__Output } from './a2sf/generator/v1/GetInfoRequest.js';
import type { GetInfoResponse as _a2sf_generator_v1_GetInfoResponse, GetInfoResponse__Output as _a2sf_generator_v1_GetInfoResponse__Output } from './a2sf/generator/v1/GetInfoResponse.js';
import type { InspectRequest as _a2sf_generator_v1_InspectRequest, InspectRequest__Output as _a2sf_generator_v1_InspectRequest__Output } from './a2sf/generator/v1/InspectRequest.js';
import type { InspectResponse as _a2sf_generator_v1_InspectResponse, InspectResponse__Output as _a2sf_generator_v1_InspectResponse__Output } from './a2sf/generator/v1/InspectResponse.js';
import type { InspectedHead as _a2sf_generator_v1_InspectedHead, InspectedHead__Output as _a2sf_generator_v1_InspectedHead__Output } from './a2sf/generator/v1/InspectedHead.js';
import type { InspectedLayer as _a2sf_generator_v1_InspectedLayer, InspectedLayer__Output as _a2sf_generator_v1_InspectedLayer__Output } from './a2sf/generator/v1/InspectedLayer.js';
import type { Sampling as _a2sf_generator_v1_Sampling, Sampling__Output as _a2sf_generator_v1_Sampling__Output } from './a2sf/generator/v1/Sampling.js';
import type { ScoreContinuationRequest as _a2sf_generator_v1_ScoreContinuationRequest, ScoreContinuationRequest__Output as _a2sf_generator_v1_ScoreContinuationRequest__Output } from './a2sf/generator/v1/ScoreContinuationRequest.js';
import type { ScoreContinuationResponse as _a2sf_generator_v1_ScoreContinuationResponse, ScoreContinuationResponse__Output as _a2sf_generator_v1_ScoreContinuationResponse__Output } from './a2sf/generator/v1/ScoreContinuationResponse.js';
import type { ScoreStatistics as _a2sf_generator_v1_ScoreStatistics, ScoreStatistics__Output as _a2sf_generator_v1_ScoreStatistics__Output } from './a2sf/generator/v1/ScoreStatistics.js';
import type { SelectionOverlap as _a2sf_generator_v1_SelectionOverlap, SelectionOverlap__Output as _a2sf_generator_v1_SelectionOverlap__Output } from './a2sf/generator/v1/SelectionOverlap.js';
import type { SweepRequest as _a2sf_generator_v1_SweepRequest, SweepRequest__Output as _a2sf_generator_v1_SweepRequest__Output } from './a2sf/generator/v1/SweepRequest.js';
import type { SweepResponse as _a2sf_generator_v1_SweepResponse, SweepResponse__Output as _a2sf_generator_v1_SweepResponse__Output } from './a2sf/generator/v1/SweepResponse.js';
import type { SweepResult as _a2sf_generator_v1_SweepResult, SweepResult__Output as _a2sf_generator_v1_SweepResult__Output } from './a2sf/generator/v1/SweepResult.js';
import type { TopTokens as _a2sf_generator_v1_TopTokens, TopTokens__Output as _a2sf_generator_v1_TopTokens__Output } from './a2sf/generator/v1/TopTokens.js';
import type { Usage as _a2sf_generator_v1_Usage, Usage__Output as _a2sf_generator_v1_Usage__Output } from './a2sf/generator/v1/Usage.js';
import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from './a2sf/types/v1/Action.js';
import type { Compression as _a2sf_types_v1_Compression, Compression__Output as _a2sf_types_v1_Compression__Output } from './a2sf/types/v1/Compression.js';
import type { Embedding as _a2sf_types_v1_Embedding, Embedding__Output as _a2sf_types_v1_Embedding__Output } from './a2sf/types/v1/Embedding.js';
import type { Prompt as _a2sf_types_v1_Prompt, Prompt__Output as _a2sf_types_v1_Prompt__Output } from './a2sf/types/v1/Prompt.js';
import type { Span as _a2sf_types_v1_Span, Span__Output as _a2sf_types_v1_Span__Output } from './a2sf/types/v1/Span.js';
import type { TokenIds as _a2sf_types_v1_TokenIds, TokenIds__Output as _a2sf_types_v1_TokenIds__Output } from './a2sf/types/v1/TokenIds.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  a2sf: {
    generator: {
      v1: {
        ComparedSelections: MessageTypeDefinition<_a2sf_generator_v1_ComparedSelections, _a2sf_generator_v1_ComparedSelections__Output>
        Continuation: MessageTypeDefinition<_a2sf_generator_v1_Continuation, _a2sf_generator_v1_Continuation__Output>
        FinishReason: EnumTypeDefinition
        GenerateRequest: MessageTypeDefinition<_a2sf_generator_v1_GenerateRequest, _a2sf_generator_v1_GenerateRequest__Output>
        GenerateResponse: MessageTypeDefinition<_a2sf_generator_v1_GenerateResponse, _a2sf_generator_v1_GenerateResponse__Output>
        GeneratorService: SubtypeConstructor<typeof grpc.Client, _a2sf_generator_v1_GeneratorServiceClient> & { service: _a2sf_generator_v1_GeneratorServiceDefinition }
        GetInfoRequest: MessageTypeDefinition<_a2sf_generator_v1_GetInfoRequest, _a2sf_generator_v1_GetInfoRequest__Output>
        GetInfoResponse: MessageTypeDefinition<_a2sf_generator_v1_GetInfoResponse, _a2sf_generator_v1_GetInfoResponse__Output>
        InspectRequest: MessageTypeDefinition<_a2sf_generator_v1_InspectRequest, _a2sf_generator_v1_InspectRequest__Output>
        InspectResponse: MessageTypeDefinition<_a2sf_generator_v1_InspectResponse, _a2sf_generator_v1_InspectResponse__Output>
        InspectedHead: MessageTypeDefinition<_a2sf_generator_v1_InspectedHead, _a2sf_generator_v1_InspectedHead__Output>
        InspectedLayer: MessageTypeDefinition<_a2sf_generator_v1_InspectedLayer, _a2sf_generator_v1_InspectedLayer__Output>
        PromptWrap: EnumTypeDefinition
        Sampling: MessageTypeDefinition<_a2sf_generator_v1_Sampling, _a2sf_generator_v1_Sampling__Output>
        ScoreContinuationRequest: MessageTypeDefinition<_a2sf_generator_v1_ScoreContinuationRequest, _a2sf_generator_v1_ScoreContinuationRequest__Output>
        ScoreContinuationResponse: MessageTypeDefinition<_a2sf_generator_v1_ScoreContinuationResponse, _a2sf_generator_v1_ScoreContinuationResponse__Output>
        ScoreStatistics: MessageTypeDefinition<_a2sf_generator_v1_ScoreStatistics, _a2sf_generator_v1_ScoreStatistics__Output>
        SelectionOverlap: MessageTypeDefinition<_a2sf_generator_v1_SelectionOverlap, _a2sf_generator_v1_SelectionOverlap__Output>
        SweepRequest: MessageTypeDefinition<_a2sf_generator_v1_SweepRequest, _a2sf_generator_v1_SweepRequest__Output>
        SweepResponse: MessageTypeDefinition<_a2sf_generator_v1_SweepResponse, _a2sf_generator_v1_SweepResponse__Output>
        SweepResult: MessageTypeDefinition<_a2sf_generator_v1_SweepResult, _a2sf_generator_v1_SweepResult__Output>
        TopTokens: MessageTypeDefinition<_a2sf_generator_v1_TopTokens, _a2sf_generator_v1_TopTokens__Output>
        Usage: MessageTypeDefinition<_a2sf_generator_v1_Usage, _a2sf_generator_v1_Usage__Output>
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
}

