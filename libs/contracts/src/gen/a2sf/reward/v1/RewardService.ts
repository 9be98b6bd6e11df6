// Original file: protos/a2sf/reward/v1/reward.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ListMetricsRequest as _a2sf_reward_v1_ListMetricsRequest, ListMetricsRequest__Output as _a2sf_reward_v1_ListMetricsRequest__Output } from '../../../a2sf/reward/v1/ListMetricsRequest.js';
import type { ListMetricsResponse as _a2sf_reward_v1_ListMetricsResponse, ListMetricsResponse__Output as _a2sf_reward_v1_ListMetricsResponse__Output } from '../../../a2sf/reward/v1/ListMetricsResponse.js';
import type { ScoreRequest as _a2sf_reward_v1_ScoreRequest, ScoreRequest__Output as _a2sf_reward_v1_ScoreRequest__Output } from '../../../a2sf/reward/v1/ScoreRequest.js';
import type { ScoreResponse as _a2sf_reward_v1_ScoreResponse, ScoreResponse__Output as _a2sf_reward_v1_ScoreResponse__Output } from '../../../a2sf/reward/v1/ScoreResponse.js';

export interface RewardServiceClient extends grpc.Client {
  ListMetrics(argument: _a2sf_reward_v1_ListMetricsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_reward_v1_ListMetricsResponse__Output>): grpc.ClientUnaryCall;
  ListMetrics(argument: _a2sf_reward_v1_ListMetricsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_reward_v1_ListMetricsResponse__Output>): grpc.ClientUnaryCall;
  ListMetrics(argument: _a2sf_reward_v1_ListMetricsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_reward_v1_ListMetricsResponse__Output>): grpc.ClientUnaryCall;
  ListMetrics(argument: _a2sf_reward_v1_ListMetricsRequest, callback: grpc.requestCallback<_a2sf_reward_v1_ListMetricsResponse__Output>): grpc.ClientUnaryCall;
  listMetrics(argument: _a2sf_reward_v1_ListMetricsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_reward_v1_ListMetricsResponse__Output>): grpc.ClientUnaryCall;
  listMetrics(argument: _a2sf_reward_v1_ListMetricsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_reward_v1_ListMetricsResponse__Output>): grpc.ClientUnaryCall;
  listMetrics(argument: _a2sf_reward_v1_ListMetricsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_reward_v1_ListMetricsResponse__Output>): grpc.ClientUnaryCall;
  listMetrics(argument: _a2sf_reward_v1_ListMetricsRequest, callback: grpc.requestCallback<_a2sf_reward_v1_ListMetricsResponse__Output>): grpc.ClientUnaryCall;
  
  Score(argument: _a2sf_reward_v1_ScoreRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_reward_v1_ScoreResponse__Output>): grpc.ClientUnaryCall;
  Score(argument: _a2sf_reward_v1_ScoreRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_reward_v1_ScoreResponse__Output>): grpc.ClientUnaryCall;
  Score(argument: _a2sf_reward_v1_ScoreRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_reward_v1_ScoreResponse__Output>): grpc.ClientUnaryCall;
  Score(argument: _a2sf_reward_v1_ScoreRequest, callback: grpc.requestCallback<_a2sf_reward_v1_ScoreResponse__Output>): grpc.ClientUnaryCall;
  score(argument: _a2sf_reward_v1_ScoreRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_reward_v1_ScoreResponse__Output>): grpc.ClientUnaryCall;
  score(argument: _a2sf_reward_v1_ScoreRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_a2sf_reward_v1_ScoreResponse__Output>): grpc.ClientUnaryCall;
  score(argument: _a2sf_reward_v1_ScoreRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_a2sf_reward_v1_ScoreResponse__Output>): grpc.ClientUnaryCall;
  score(argument: _a2sf_reward_v1_ScoreRequest, callback: grpc.requestCallback<_a2sf_reward_v1_ScoreResponse__Output>): grpc.ClientUnaryCall;
  
}

export interface RewardServiceHandlers extends grpc.UntypedServiceImplementation {
  ListMetrics: grpc.handleUnaryCall<_a2sf_reward_v1_ListMetricsRequest__Output, _a2sf_reward_v1_ListMetricsResponse>;
  
  Score: grpc.handleUnaryCall<_a2sf_reward_v1_ScoreRequest__Output, _a2sf_reward_v1_ScoreResponse>;
  
}

export interface RewardServiceDefinition extends grpc.ServiceDefinition {
  ListMetrics: MethodDefinition<_a2sf_reward_v1_ListMetricsRequest, _a2sf_reward_v1_ListMetricsResponse, _a2sf_reward_v1_ListMetricsRequest__Output, _a2sf_reward_v1_ListMetricsResponse__Output>
  Score: MethodDefinition<_a2sf_reward_v1_ScoreRequest, _a2sf_reward_v1_ScoreResponse, _a2sf_reward_v1_ScoreRequest__Output, _a2sf_reward_v1_ScoreResponse__Output>
}
