// Original file: protos/a2sf/policy/v1/policy.proto

import type { HyperParameters as _a2sf_policy_v1_HyperParameters, HyperParameters__Output as _a2sf_policy_v1_HyperParameters__Output } from '../../../a2sf/policy/v1/HyperParameters.js';
import type { Long } from '@grpc/proto-loader';

export interface GetInfoResponse {
  'aValues'?: (number | string)[];
  'bValues'?: (number)[];
  'embeddingDimension'?: (number);
  'hyperParameters'?: (_a2sf_policy_v1_HyperParameters | null);
  'policyVersion'?: (number | string | Long);
  'role'?: (string);
  'iteration'?: (number);
  'encoderId'?: (string);
  'agent'?: (string);
  'qualityFloor'?: (number | string);
  'lagSeconds'?: (number | string);
  'challengerVersion'?: (number | string | Long);
  'budgets'?: (number)[];
  '_qualityFloor'?: "qualityFloor";
}

export interface GetInfoResponse__Output {
  'aValues': (number)[];
  'bValues': (number)[];
  'embeddingDimension': (number);
  'hyperParameters': (_a2sf_policy_v1_HyperParameters__Output | null);
  'policyVersion': (string);
  'role': (string);
  'iteration': (number);
  'encoderId': (string);
  'agent': (string);
  'qualityFloor'?: (number);
  'lagSeconds': (number);
  'challengerVersion': (string);
  'budgets': (number)[];
  '_qualityFloor'?: "qualityFloor";
}
