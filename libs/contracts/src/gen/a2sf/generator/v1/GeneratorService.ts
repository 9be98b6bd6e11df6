// Original file: protos/a2sf/generator/v1/generator.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GenerateRequest as _a2sf_generator_v1_GenerateRequest, GenerateRequest__Output as _a2sf_generator_v1_GenerateRequest__Output } from '../../../a2sf/generator/v1/GenerateRequest.js';
import type { GenerateResponse as _a2sf_generator_v1_GenerateResponse, GenerateResponse__Output as _a2sf_generator_v1_GenerateResponse__Output } from '../../../a2sf/generator/v1/GenerateResponse.js';
import type { GetInfoRequest as _a2sf_generator_v1_GetInfoRequest, GetInfoRequest__Output as _a2sf_generator_v1_GetInfoRequest__Output } from '../../../a2sf/generator/v1/GetInfoRequest.js';
import type { GetInfoResponse as _a2sf_generator_v1_GetInfoResponse, GetInfoResponse__Output as _a2sf_generator_v1_GetInfoResponse__Output } from '../../../a2sf/generator/v1/GetInfoResponse.js';
import type { InspectRequest as _a2sf_generator_v1_InspectRequest, InspectRequest__Output as _a2sf_generator_v1_InspectRequest__Output } from '../../../a2sf/generator/v1/InspectRequest.js';
import type { InspectResponse as _a2sf_generator_v1_InspectResponse, InspectResponse__Output as _a2sf_generator_v1_InspectResponse__Output } from '../../../a2sf/generator/v1/InspectResponse.js';
import type { ScoreContinuationRequest as _a2sf_generator_v1_ScoreContinuationRequest, ScoreContinuationRequest__Output as _a2sf_generator_v1_ScoreContinuationRequest__Output } from '../../../a2sf/generator/v1/ScoreContinuationRequest.js';
import type { ScoreContinuationResponse as _a2sf_generator_v1_ScoreContinuationResponse, ScoreContinuationResponse__Output as _a2sf_generator_v1_ScoreContinuationResponse__Output } from '../../../a2sf/generator/v1/ScoreContinuationResponse.js';
import type { SweepRequest as _a2sf_generator_v1_SweepRequest, SweepRequest__Output as _a2sf_generator_v1_SweepRequest__Output } from '../../../a2sf/generator/v1/SweepRequest.js';
import type { SweepResponse as _a2sf_generator_v1_SweepResponse, SweepResponse__Output as _a2sf_generator_v1_SweepResponse__Output } from '../../../a2sf/generator/v1/SweepResponse.js';

export interface GeneratorServiceClient extends grpc.Client {
  Generate(argument: _a2sf_generator_v1_GenerateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_generator_v1_GenerateResponse__Output>;
  Generate(argument: _a2sf_generator_v1_GenerateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_generator_v1_GenerateResponse__Output>;
  generate(argument: _a2sf_generator_v1_GenerateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_generator_v1_GenerateResponse__Output>;
  generate(argument: _a2sf_generator_v1_GenerateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_generator_v1_GenerateResponse__Output>;
  
  GetInfo(argument: _a2sf_generator_v1_GetInfoRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _a2sf_generator_v1_GetInfoRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_generator_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _a2sf_generator_v1_GetInfoRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _a2sf_generator_v1_GetInfoRequest, callback: grpc.requestCallback<_a2sf_generator_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_generator_v1_GetInfoRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_generator_v1_GetInfoRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_generator_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_generator_v1_GetInfoRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_generator_v1_GetInfoRequest, callback: grpc.requestCallback<_a2sf_generator_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  
  Inspect(argument: _a2sf_generator_v1_InspectRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_InspectResponse__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _a2sf_generator_v1_InspectRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_generator_v1_InspectResponse__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _a2sf_generator_v1_InspectRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_InspectResponse__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _a2sf_generator_v1_InspectRequest, callback: grpc.requestCallback<_a2sf_generator_v1_InspectResponse__Output>): grpc.ClientUnaryCall;
  inspect(argument: _a2sf_generator_v1_InspectRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_InspectResponse__Output>): grpc.ClientUnaryCall;
  inspect(argument: _a2sf_generator_v1_InspectRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_generator_v1_InspectResponse__Output>): grpc.ClientUnaryCall;
  inspect(argument: _a2sf_generator_v1_InspectRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_InspectResponse__Output>): grpc.ClientUnaryCall;
  inspect(argument: _a2sf_generator_v1_InspectRequest, callback: grpc.requestCallback<_a2sf_generator_v1_InspectResponse__Output>): grpc.ClientUnaryCall;
  
  ScoreContinuation(argument: _a2sf_generator_v1_ScoreContinuationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_ScoreContinuationResponse__Output>): grpc.ClientUnaryCall;
  ScoreContinuation(argument: _a2sf_generator_v1_ScoreContinuationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_generator_v1_ScoreContinuationResponse__Output>): grpc.ClientUnaryCall;
  ScoreContinuation(argument: _a2sf_generator_v1_ScoreContinuationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_ScoreContinuationResponse__Output>): grpc.ClientUnaryCall;
  ScoreContinuation(argument: _a2sf_generator_v1_ScoreContinuationRequest, callback: grpc.requestCallback<_a2sf_generator_v1_ScoreContinuationResponse__Output>): grpc.ClientUnaryCall;
  scoreContinuation(argument: _a2sf_generator_v1_ScoreContinuationRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_ScoreContinuationResponse__Output>): grpc.ClientUnaryCall;
  scoreContinuation(argument: _a2sf_generator_v1_ScoreContinuationRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_generator_v1_ScoreContinuationResponse__Output>): grpc.ClientUnaryCall;
  scoreContinuation(argument: _a2sf_generator_v1_ScoreContinuationRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_ScoreContinuationResponse__Output>): grpc.ClientUnaryCall;
  scoreContinuation(argument: _a2sf_generator_v1_ScoreContinuationRequest, callback: grpc.requestCallback<_a2sf_generator_v1_ScoreContinuationResponse__Output>): grpc.ClientUnaryCall;
  
  Sweep(argument: _a2sf_generator_v1_SweepRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_SweepResponse__Output>): grpc.ClientUnaryCall;
  Sweep(argument: _a2sf_generator_v1_SweepRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_generator_v1_SweepResponse__Output>): grpc.ClientUnaryCall;
  Sweep(argument: _a2sf_generator_v1_SweepRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_SweepResponse__Output>): grpc.ClientUnaryCall;
  Sweep(argument: _a2sf_generator_v1_SweepRequest, callback: grpc.requestCallback<_a2sf_generator_v1_SweepResponse__Output>): grpc.ClientUnaryCall;
  sweep(argument: _a2sf_generator_v1_SweepRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_SweepResponse__Output>): grpc.ClientUnaryCall;
  sweep(argument: _a2sf_generator_v1_SweepRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_generator_v1_SweepResponse__Output>): grpc.ClientUnaryCall;
  sweep(argument: _a2sf_generator_v1_SweepRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_generator_v1_SweepResponse__Output>): grpc.ClientUnaryCall;
  sweep(argument: _a2sf_generator_v1_SweepRequest, callback: grpc.requestCallback<_a2sf_generator_v1_SweepResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface GeneratorServiceHandlers extends grpc.UntypedServiceImplementation {
  Generate: grpc.handleServerStreamingCall<_a2sf_generator_v1_GenerateRequest__Output, _a2sf_generator_v1_GenerateResponse>;
  
  GetInfo: grpc.handleUnaryCall<_a2sf_generator_v1_GetInfoRequest__Output, _a2sf_generator_v1_GetInfoResponse>;
  
  Inspect: grpc.handleUnaryCall<_a2sf_generator_v1_InspectRequest__Output, _a2sf_generator_v1_InspectResponse>;
  
  ScoreContinuation: grpc.handleUnaryCall<_a2sf_generator_v1_ScoreContinuationRequest__Output, _a2sf_generator_v1_ScoreContinuationResponse>;
  
  Sweep: grpc.handleUnaryCall<_a2sf_generator_v1_SweepRequest__Output, _a2sf_generator_v1_SweepResponse>;
  
}

export interface GeneratorServiceDefinition extends grpc.ServiceDefinition {
  Generate: MethodDefinition<_a2sf_generator_v1_GenerateRequest, _a2sf_generator_v1_GenerateResponse, _a2sf_generator_v1_GenerateRequest__Output, _a2sf_generator_v1_GenerateResponse__Output>
  GetInfo: MethodDefinition<_a2sf_generator_v1_GetInfoRequest, _a2sf_generator_v1_GetInfoResponse, _a2sf_generator_v1_GetInfoRequest__Output, _a2sf_generator_v1_GetInfoResponse__Output>
  Inspect: MethodDefinition<_a2sf_generator_v1_InspectRequest, _a2sf_generator_v1_InspectResponse, _a2sf_generator_v1_InspectRequest__Output, _a2sf_generator_v1_InspectResponse__Output>
  ScoreContinuation: MethodDefinition<_a2sf_generator_v1_ScoreContinuationRequest, _a2sf_generator_v1_ScoreContinuationResponse, _a2sf_generator_v1_ScoreContinuationRequest__Output, _a2sf_generator_v1_ScoreContinuationResponse__Output>
  Sweep: MethodDefinition<_a2sf_generator_v1_SweepRequest, _a2sf_generator_v1_SweepResponse, _a2sf_generator_v1_SweepRequest__Output, _a2sf_generator_v1_SweepResponse__Output>
}
