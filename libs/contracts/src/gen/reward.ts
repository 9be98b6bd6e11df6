import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { DatasetMetric as _a2sf_reward_v1_DatasetMetric, DatasetMetric__Output as _a2sf_reward_v1_DatasetMetric__Output } from './a2sf/reward/v1/DatasetMetric.js';
import type { ListMetricsRequest as _a2sf_reward_v1_ListMetricsRequest, ListMetricsRequest__Output as _a2sf_reward_v1_ListMetricsRequest__Output } from './a2sf/reward/v1/ListMetricsRequest.js';
import type { ListMetricsResponse as _a2sf_reward_v1_ListMetricsResponse, ListMetricsResponse__Output as _a2sf_reward_v1_ListMetricsResponse__Output } from './a2sf/reward/v1/ListMetricsResponse.js';
import type { RewardServiceClient as _a2sf_reward_v1_RewardServiceClient, RewardServiceDefinition as _a2sf_reward_v1_RewardServiceDefinition } from './a2sf/reward/v1/RewardService.js';
import type { ScoreItem as _a2sf_reward_v1_ScoreItem, ScoreItem__Output as _a2sf_reward_v1_ScoreItem__Output } from './a2sf/reward/v1/ScoreItem.js';
import type { ScoreRequest as _a2sf_reward_v1_ScoreRequest, ScoreRequest__Output as _a2sf_reward_v1_ScoreRequest__Output } from './a2sf/reward/v1/ScoreRequest.js';
import type { ScoreResponse as _a2sf_reward_v1_ScoreResponse, ScoreResponse__Output as _a2sf_reward_v1_ScoreResponse__Output } from './a2sf/reward/v1/ScoreResponse.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  a2sf: {
    reward: {
      v1: {
        DatasetMetric: MessageTypeDefinition<_a2sf_reward_v1_DatasetMetric, _a2sf_reward_v1_DatasetMetric__Output>
        ListMetricsRequest: MessageTypeDefinition<_a2sf_reward_v1_ListMetricsRequest, _a2sf_reward_v1_ListMetricsRequest__Output>
        ListMetricsResponse: MessageTypeDefinition<_a2sf_reward_v1_ListMetricsResponse, _a2sf_reward_v1_ListMetricsResponse__Output>
        RewardService: SubtypeConstructor<typeof grpc.Client, _a2sf_reward_v1_RewardServiceClient> & { service: _a2sf_reward_v1_RewardServiceDefinition }
        ScoreItem: MessageTypeDefinition<_a2sf_reward_v1_ScoreItem, _a2sf_reward_v1_ScoreItem__Output>
        ScoreRequest: MessageTypeDefinition<_a2sf_reward_v1_ScoreRequest, _a2sf_reward_v1_ScoreRequest__Output>
        ScoreResponse: MessageTypeDefinition<_a2sf_reward_v1_ScoreResponse, _a2sf_reward_v1_ScoreResponse__Output>
      }
    }
  }
}

