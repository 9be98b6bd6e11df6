import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { EncodeRequest as _a2sf_encoder_v1_EncodeRequest, EncodeRequest__Output as _a2sf_encoder_v1_EncodeRequest__Output } from './a2sf/encoder/v1/EncodeRequest.js';
import type { EncodeResponse as _a2sf_encoder_v1_EncodeResponse, EncodeResponse__Output as _a2sf_encoder_v1_EncodeResponse__Output } from './a2sf/encoder/v1/EncodeResponse.js';
import type { EncoderServiceClient as _a2sf_encoder_v1_EncoderServiceClient, EncoderServiceDefinition as _a2sf_encoder_v1_EncoderServiceDefinition } from './a2sf/encoder/v1/EncoderService.js';
import type { GetInfoRequest as _a2sf_encoder_v1_GetInfoRequest, GetInfoRequest__Output as _a2sf_encoder_v1_GetInfoRequest__Output } from './a2sf/encoder/v1/GetInfoRequest.js';
import type { GetInfoResponse as _a2sf_encoder_v1_GetInfoResponse, GetInfoResponse__Output as _a2sf_encoder_v1_GetInfoResponse__Output } from './a2sf/encoder/v1/GetInfoResponse.js';
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
    encoder: {
      v1: {
        EncodeRequest: MessageTypeDefinition<_a2sf_encoder_v1_EncodeRequest, _a2sf_encoder_v1_EncodeRequest__Output>
        EncodeResponse: MessageTypeDefinition<_a2sf_encoder_v1_EncodeResponse, _a2sf_encoder_v1_EncodeResponse__Output>
        EncoderService: SubtypeConstructor<typeof grpc.Client, _a2sf_encoder_v1_EncoderServiceClient> & { service: _a2sf_encoder_v1_EncoderServiceDefinition }
        GetInfoRequest: MessageTypeDefinition<_a2sf_encoder_v1_GetInfoRequest, _a2sf_encoder_v1_GetInfoRequest__Output>
        GetInfoResponse: MessageTypeDefinition<_a2sf_encoder_v1_GetInfoResponse, _a2sf_encoder_v1_GetInfoResponse__Output>
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

