// Original file: protos/a2sf/encoder/v1/encoder.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { EncodeRequest as _a2sf_encoder_v1_EncodeRequest, EncodeRequest__Output as _a2sf_encoder_v1_EncodeRequest__Output } from '../../../a2sf/encoder/v1/EncodeRequest.js';
import type { EncodeResponse as _a2sf_encoder_v1_EncodeResponse, EncodeResponse__Output as _a2sf_encoder_v1_EncodeResponse__Output } from '../../../a2sf/encoder/v1/EncodeResponse.js';
import type { GetInfoRequest as _a2sf_encoder_v1_GetInfoRequest, GetInfoRequest__Output as _a2sf_encoder_v1_GetInfoRequest__Output } from '../../../a2sf/encoder/v1/GetInfoRequest.js';
import type { GetInfoResponse as _a2sf_encoder_v1_GetInfoResponse, GetInfoResponse__Output as _a2sf_encoder_v1_GetInfoResponse__Output } from '../../../a2sf/encoder/v1/GetInfoResponse.js';

export interface EncoderServiceClient extends grpc.Client {
  Encode(argument: _a2sf_encoder_v1_EncodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_encoder_v1_EncodeResponse__Output>): grpc.ClientUnaryCall;
  Encode(argument: _a2sf_encoder_v1_EncodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_encoder_v1_EncodeResponse__Output>): grpc.ClientUnaryCall;
  Encode(argument: _a2sf_encoder_v1_EncodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_encoder_v1_EncodeResponse__Output>): grpc.ClientUnaryCall;
  Encode(argument: _a2sf_encoder_v1_EncodeRequest, callback: grpc.requestCallback<_a2sf_encoder_v1_EncodeResponse__Output>): grpc.ClientUnaryCall;
  encode(argument: _a2sf_encoder_v1_EncodeRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_encoder_v1_EncodeResponse__Output>): grpc.ClientUnaryCall;
  encode(argument: _a2sf_encoder_v1_EncodeRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_encoder_v1_EncodeResponse__Output>): grpc.ClientUnaryCall;
  encode(argument: _a2sf_encoder_v1_EncodeRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_encoder_v1_EncodeResponse__Output>): grpc.ClientUnaryCall;
  encode(argument: _a2sf_encoder_v1_EncodeRequest, callback: grpc.requestCallback<_a2sf_encoder_v1_EncodeResponse__Output>): grpc.ClientUnaryCall;
  
  GetInfo(argument: _a2sf_encoder_v1_GetInfoRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_encoder_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _a2sf_encoder_v1_GetInfoRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_encoder_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _a2sf_encoder_v1_GetInfoRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_encoder_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _a2sf_encoder_v1_GetInfoRequest, callback: grpc.requestCallback<_a2sf_encoder_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_encoder_v1_GetInfoRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_encoder_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_encoder_v1_GetInfoRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_encoder_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_encoder_v1_GetInfoRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_encoder_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_encoder_v1_GetInfoRequest, callback: grpc.requestCallback<_a2sf_encoder_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface EncoderServiceHandlers extends grpc.UntypedServiceImplementation {
  Encode: grpc.handleUnaryCall<_a2sf_encoder_v1_EncodeRequest__Output, _a2sf_encoder_v1_EncodeResponse>;
  
  GetInfo: grpc.handleUnaryCall<_a2sf_encoder_v1_GetInfoRequest__Output, _a2sf_encoder_v1_GetInfoResponse>;
  
}

export interface EncoderServiceDefinition extends grpc.ServiceDefinition {
  Encode: MethodDefinition<_a2sf_encoder_v1_EncodeRequest, _a2sf_encoder_v1_EncodeResponse, _a2sf_encoder_v1_EncodeRequest__Output, _a2sf_encoder_v1_EncodeResponse__Output>
  GetInfo: MethodDefinition<_a2sf_encoder_v1_GetInfoRequest, _a2sf_encoder_v1_GetInfoResponse, _a2sf_encoder_v1_GetInfoRequest__Output, _a2sf_encoder_v1_GetInfoResponse__Output>
}
