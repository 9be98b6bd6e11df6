// Original file: protos/a2sf/policy/v1/policy.proto

import type { Long } from '@grpc/proto-loader';

export interface UpdateResponse {
  'predictionLoss'?: (number | string);
  'policyVersion'?: (number | string | Long);
  'skipped'?: (number);
  'gradientNorm'?: (number | string);
}

export interface UpdateResponse__Output {
  'predictionLoss': (number);
  'policyVersion': (string);
  'skipped': (number);
  'gradientNorm': (number);
}
