// Original file: protos/a2sf/policy/v1/policy.proto

import type { Long } from '@grpc/proto-loader';

export interface ImportCheckpointResponse {
  'policyVersion'?: (number | string | Long);
  'iteration'?: (number);
}

export interface ImportCheckpointResponse__Output {
  'policyVersion': (string);
  'iteration': (number);
}
