// Original file: protos/a2sf/policy/v1/policy.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ExportCheckpointRequest as _a2sf_policy_v1_ExportCheckpointRequest, ExportCheckpointRequest__Output as _a2sf_policy_v1_ExportCheckpointRequest__Output } from '../../../a2sf/policy/v1/ExportCheckpointRequest.js';
import type { ExportCheckpointResponse as _a2sf_policy_v1_ExportCheckpointResponse, ExportCheckpointResponse__Output as _a2sf_policy_v1_ExportCheckpointResponse__Output } from '../../../a2sf/policy/v1/ExportCheckpointResponse.js';
import type { GetInfoRequest as _a2sf_policy_v1_GetInfoRequest, GetInfoRequest__Output as _a2sf_policy_v1_GetInfoRequest__Output } from '../../../a2sf/policy/v1/GetInfoRequest.js';
import type { GetInfoResponse as _a2sf_policy_v1_GetInfoResponse, GetInfoResponse__Output as _a2sf_policy_v1_GetInfoResponse__Output } from '../../../a2sf/policy/v1/GetInfoResponse.js';
import type { ImportCheckpointRequest as _a2sf_policy_v1_ImportCheckpointRequest, ImportCheckpointRequest__Output as _a2sf_policy_v1_ImportCheckpointRequest__Output } from '../../../a2sf/policy/v1/ImportCheckpointRequest.js';
import type { ImportCheckpointResponse as _a2sf_policy_v1_ImportCheckpointResponse, ImportCheckpointResponse__Output as _a2sf_policy_v1_ImportCheckpointResponse__Output } from '../../../a2sf/policy/v1/ImportCheckpointResponse.js';
import type { PromoteChallengerRequest as _a2sf_policy_v1_PromoteChallengerRequest, PromoteChallengerRequest__Output as _a2sf_policy_v1_PromoteChallengerRequest__Output } from '../../../a2sf/policy/v1/PromoteChallengerRequest.js';
import type { PromoteChallengerResponse as _a2sf_policy_v1_PromoteChallengerResponse, PromoteChallengerResponse__Output as _a2sf_policy_v1_PromoteChallengerResponse__Output } from '../../../a2sf/policy/v1/PromoteChallengerResponse.js';
import type { SelectActionRequest as _a2sf_policy_v1_SelectActionRequest, SelectActionRequest__Output as _a2sf_policy_v1_SelectActionRequest__Output } from '../../../a2sf/policy/v1/SelectActionRequest.js';
import type { SelectActionResponse as _a2sf_policy_v1_SelectActionResponse, SelectActionResponse__Output as _a2sf_policy_v1_SelectActionResponse__Output } from '../../../a2sf/policy/v1/SelectActionResponse.js';
import type { SelectActionsRequest as _a2sf_policy_v1_SelectActionsRequest, SelectActionsRequest__Output as _a2sf_policy_v1_SelectActionsRequest__Output } from '../../../a2sf/policy/v1/SelectActionsRequest.js';
import type { SelectActionsResponse as _a2sf_policy_v1_SelectActionsResponse, SelectActionsResponse__Output as _a2sf_policy_v1_SelectActionsResponse__Output } from '../../../a2sf/policy/v1/SelectActionsResponse.js';
import type { UpdateRequest as _a2sf_policy_v1_UpdateRequest, UpdateRequest__Output as _a2sf_policy_v1_UpdateRequest__Output } from '../../../a2sf/policy/v1/UpdateRequest.js';
import type { UpdateResponse as _a2sf_policy_v1_UpdateResponse, UpdateResponse__Output as _a2sf_policy_v1_UpdateResponse__Output } from '../../../a2sf/policy/v1/UpdateResponse.js';
import type { WatchPolicyRequest as _a2sf_policy_v1_WatchPolicyRequest, WatchPolicyRequest__Output as _a2sf_policy_v1_WatchPolicyRequest__Output } from '../../../a2sf/policy/v1/WatchPolicyRequest.js';
import type { WatchPolicyResponse as _a2sf_policy_v1_WatchPolicyResponse, WatchPolicyResponse__Output as _a2sf_policy_v1_WatchPolicyResponse__Output } from '../../../a2sf/policy/v1/WatchPolicyResponse.js';

export interface PolicyServiceClient extends grpc.Client {
  ExportCheckpoint(argument: _a2sf_policy_v1_ExportCheckpointRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_policy_v1_ExportCheckpointResponse__Output>;
  ExportCheckpoint(argument: _a2sf_policy_v1_ExportCheckpointRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_policy_v1_ExportCheckpointResponse__Output>;
  exportCheckpoint(argument: _a2sf_policy_v1_ExportCheckpointRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_policy_v1_ExportCheckpointResponse__Output>;
  exportCheckpoint(argument: _a2sf_policy_v1_ExportCheckpointRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_policy_v1_ExportCheckpointResponse__Output>;
  
  GetInfo(argument: _a2sf_policy_v1_GetInfoRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _a2sf_policy_v1_GetInfoRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _a2sf_policy_v1_GetInfoRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  GetInfo(argument: _a2sf_policy_v1_GetInfoRequest, callback: grpc.requestCallback<_a2sf_policy_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_policy_v1_GetInfoRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_policy_v1_GetInfoRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_policy_v1_GetInfoRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  getInfo(argument: _a2sf_policy_v1_GetInfoRequest, callback: grpc.requestCallback<_a2sf_policy_v1_GetInfoResponse__Output>): grpc.ClientUnaryCall;
  
  ImportCheckpoint(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_ImportCheckpointResponse__Output>): grpc.ClientWritableStream<_a2sf_policy_v1_ImportCheckpointRequest>;
  ImportCheckpoint(metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_ImportCheckpointResponse__Output>): grpc.ClientWritableStream<_a2sf_policy_v1_ImportCheckpointRequest>;
  ImportCheckpoint(options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_ImportCheckpointResponse__Output>): grpc.ClientWritableStream<_a2sf_policy_v1_ImportCheckpointRequest>;
  ImportCheckpoint(callback: grpc.requestCallback<_a2sf_policy_v1_ImportCheckpointResponse__Output>): grpc.ClientWritableStream<_a2sf_policy_v1_ImportCheckpointRequest>;
  importCheckpoint(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_ImportCheckpointResponse__Output>): grpc.ClientWritableStream<_a2sf_policy_v1_ImportCheckpointRequest>;
  importCheckpoint(metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_ImportCheckpointResponse__Output>): grpc.ClientWritableStream<_a2sf_policy_v1_ImportCheckpointRequest>;
  importCheckpoint(options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_ImportCheckpointResponse__Output>): grpc.ClientWritableStream<_a2sf_policy_v1_ImportCheckpointRequest>;
  importCheckpoint(callback: grpc.requestCallback<_a2sf_policy_v1_ImportCheckpointResponse__Output>): grpc.ClientWritableStream<_a2sf_policy_v1_ImportCheckpointRequest>;
  
  PromoteChallenger(argument: _a2sf_policy_v1_PromoteChallengerRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_PromoteChallengerResponse__Output>): grpc.ClientUnaryCall;
  PromoteChallenger(argument: _a2sf_policy_v1_PromoteChallengerRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_PromoteChallengerResponse__Output>): grpc.ClientUnaryCall;
  PromoteChallenger(argument: _a2sf_policy_v1_PromoteChallengerRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_PromoteChallengerResponse__Output>): grpc.ClientUnaryCall;
  PromoteChallenger(argument: _a2sf_policy_v1_PromoteChallengerRequest, callback: grpc.requestCallback<_a2sf_policy_v1_PromoteChallengerResponse__Output>): grpc.ClientUnaryCall;
  promoteChallenger(argument: _a2sf_policy_v1_PromoteChallengerRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_PromoteChallengerResponse__Output>): grpc.ClientUnaryCall;
  promoteChallenger(argument: _a2sf_policy_v1_PromoteChallengerRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_PromoteChallengerResponse__Output>): grpc.ClientUnaryCall;
  promoteChallenger(argument: _a2sf_policy_v1_PromoteChallengerRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_PromoteChallengerResponse__Output>): grpc.ClientUnaryCall;
  promoteChallenger(argument: _a2sf_policy_v1_PromoteChallengerRequest, callback: grpc.requestCallback<_a2sf_policy_v1_PromoteChallengerResponse__Output>): grpc.ClientUnaryCall;
  
  SelectAction(argument: _a2sf_policy_v1_SelectActionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionResponse__Output>): grpc.ClientUnaryCall;
  SelectAction(argument: _a2sf_policy_v1_SelectActionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionResponse__Output>): grpc.ClientUnaryCall;
  SelectAction(argument: _a2sf_policy_v1_SelectActionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionResponse__Output>): grpc.ClientUnaryCall;
  SelectAction(argument: _a2sf_policy_v1_SelectActionRequest, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionResponse__Output>): grpc.ClientUnaryCall;
  selectAction(argument: _a2sf_policy_v1_SelectActionRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionResponse__Output>): grpc.ClientUnaryCall;
  selectAction(argument: _a2sf_policy_v1_SelectActionRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionResponse__Output>): grpc.ClientUnaryCall;
  selectAction(argument: _a2sf_policy_v1_SelectActionRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionResponse__Output>): grpc.ClientUnaryCall;
  selectAction(argument: _a2sf_policy_v1_SelectActionRequest, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionResponse__Output>): grpc.ClientUnaryCall;
  
  SelectActions(argument: _a2sf_policy_v1_SelectActionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionsResponse__Output>): grpc.ClientUnaryCall;
  SelectActions(argument: _a2sf_policy_v1_SelectActionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionsResponse__Output>): grpc.ClientUnaryCall;
  SelectActions(argument: _a2sf_policy_v1_SelectActionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionsResponse__Output>): grpc.ClientUnaryCall;
  SelectActions(argument: _a2sf_policy_v1_SelectActionsRequest, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionsResponse__Output>): grpc.ClientUnaryCall;
  selectActions(argument: _a2sf_policy_v1_SelectActionsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionsResponse__Output>): grpc.ClientUnaryCall;
  selectActions(argument: _a2sf_policy_v1_SelectActionsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionsResponse__Output>): grpc.ClientUnaryCall;
  selectActions(argument: _a2sf_policy_v1_SelectActionsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionsResponse__Output>): grpc.ClientUnaryCall;
  selectActions(argument: _a2sf_policy_v1_SelectActionsRequest, callback: grpc.requestCallback<_a2sf_policy_v1_SelectActionsResponse__Output>): grpc.ClientUnaryCall;
  
  Update(argument: _a2sf_policy_v1_UpdateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  Update(argument: _a2sf_policy_v1_UpdateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  Update(argument: _a2sf_policy_v1_UpdateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  Update(argument: _a2sf_policy_v1_UpdateRequest, callback: grpc.requestCallback<_a2sf_policy_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  update(argument: _a2sf_policy_v1_UpdateRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  update(argument: _a2sf_policy_v1_UpdateRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_policy_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  update(argument: _a2sf_policy_v1_UpdateRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_policy_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  update(argument: _a2sf_policy_v1_UpdateRequest, callback: grpc.requestCallback<_a2sf_policy_v1_UpdateResponse__Output>): grpc.ClientUnaryCall;
  
  WatchPolicy(argument: _a2sf_policy_v1_WatchPolicyRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_policy_v1_WatchPolicyResponse__Output>;
  WatchPolicy(argument: _a2sf_policy_v1_WatchPolicyRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_policy_v1_WatchPolicyResponse__Output>;
  watchPolicy(argument: _a2sf_policy_v1_WatchPolicyRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_policy_v1_WatchPolicyResponse__Output>;
  watchPolicy(argument: _a2sf_policy_v1_WatchPolicyRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_a2sf_policy_v1_WatchPolicyResponse__Output>;
  
}

export interface PolicyServiceHandlers extends grpc.UntypedServiceImplementation {
  ExportCheckpoint: grpc.handleServerStreamingCall<_a2sf_policy_v1_ExportCheckpointRequest__Output, _a2sf_policy_v1_ExportCheckpointResponse>;
  
  GetInfo: grpc.handleUnaryCall<_a2sf_policy_v1_GetInfoRequest__Output, _a2sf_policy_v1_GetInfoResponse>;
  
  ImportCheckpoint: grpc.handleClientStreamingCall<_a2sf_policy_v1_ImportCheckpointRequest__Output, _a2sf_policy_v1_ImportCheckpointResponse>;
  
  PromoteChallenger: grpc.handleUnaryCall<_a2sf_policy_v1_PromoteChallengerRequest__Output, _a2sf_policy_v1_PromoteChallengerResponse>;
  
  SelectAction: grpc.handleUnaryCall<_a2sf_policy_v1_SelectActionRequest__Output, _a2sf_policy_v1_SelectActionResponse>;
  
  SelectActions: grpc.handleUnaryCall<_a2sf_policy_v1_SelectActionsRequest__Output, _a2sf_policy_v1_SelectActionsResponse>;
  
  Update: grpc.handleUnaryCall<_a2sf_policy_v1_UpdateRequest__Output, _a2sf_policy_v1_UpdateResponse>;
  
  WatchPolicy: grpc.handleServerStreamingCall<_a2sf_policy_v1_WatchPolicyRequest__Output, _a2sf_policy_v1_WatchPolicyResponse>;
  
}

export interface PolicyServiceDefinition extends grpc.ServiceDefinition {
  ExportCheckpoint: MethodDefinition<_a2sf_policy_v1_ExportCheckpointRequest, _a2sf_policy_v1_ExportCheckpointResponse, _a2sf_policy_v1_ExportCheckpointRequest__Output, _a2sf_policy_v1_ExportCheckpointResponse__Output>
  GetInfo: MethodDefinition<_a2sf_policy_v1_GetInfoRequest, _a2sf_policy_v1_GetInfoResponse, _a2sf_policy_v1_GetInfoRequest__Output, _a2sf_policy_v1_GetInfoResponse__Output>
  ImportCheckpoint: MethodDefinition<_a2sf_policy_v1_ImportCheckpointRequest, _a2sf_policy_v1_ImportCheckpointResponse, _a2sf_policy_v1_ImportCheckpointRequest__Output, _a2sf_policy_v1_ImportCheckpointResponse__Output>
  PromoteChallenger: MethodDefinition<_a2sf_policy_v1_PromoteChallengerRequest, _a2sf_policy_v1_PromoteChallengerResponse, _a2sf_policy_v1_PromoteChallengerRequest__Output, _a2sf_policy_v1_PromoteChallengerResponse__Output>
  SelectAction: MethodDefinition<_a2sf_policy_v1_SelectActionRequest, _a2sf_policy_v1_SelectActionResponse, _a2sf_policy_v1_SelectActionRequest__Output, _a2sf_policy_v1_SelectActionResponse__Output>
  SelectActions: MethodDefinition<_a2sf_policy_v1_SelectActionsRequest, _a2sf_policy_v1_SelectActionsResponse, _a2sf_policy_v1_SelectActionsRequest__Output, _a2sf_policy_v1_SelectActionsResponse__Output>
  Update: MethodDefinition<_a2sf_policy_v1_UpdateRequest, _a2sf_policy_v1_UpdateResponse, _a2sf_policy_v1_UpdateRequest__Output, _a2sf_policy_v1_UpdateResponse__Output>
  WatchPolicy: MethodDefinition<_a2sf_policy_v1_WatchPolicyRequest, _a2sf_policy_v1_WatchPolicyResponse, _a2sf_policy_v1_WatchPolicyRequest__Output, _a2sf_policy_v1_WatchPolicyResponse__Output>
}
