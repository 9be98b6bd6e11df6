// Original file: protos/a2sf/reward/v1/reward.proto

import type { DatasetMetric as _a2sf_reward_v1_DatasetMetric, DatasetMetric__Output as _a2sf_reward_v1_DatasetMetric__Output } from '../../../a2sf/reward/v1/DatasetMetric.js';

export interface ListMetricsResponse {
  'metrics'?: (string)[];
  'datasetMetrics'?: (_a2sf_reward_v1_DatasetMetric)[];
  'encoderId'?: (string);
}

export interface ListMetricsResponse__Output {
  'metrics': (string)[];
  'datasetMetrics': (_a2sf_reward_v1_DatasetMetric__Output)[];
  'encoderId': (string);
}
