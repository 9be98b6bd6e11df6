// Original file: protos/a2sf/policy/v1/policy.proto

import type { Long } from '@grpc/proto-loader';

export interface PromoteChallengerResponse {
  'policyVersion'?: (number | string | Long);
}

export interface PromoteChallengerResponse__Output {
  'policyVersion': (string);
}
