// Original file: protos/a2sf/policy/v1/policy.proto

import type { SelectActionResponse as _a2sf_policy_v1_SelectActionResponse, SelectActionResponse__Output as _a2sf_policy_v1_SelectActionResponse__Output } from '../../../a2sf/policy/v1/SelectActionResponse.js';

export interface SelectActionsResponse {
  'responses'?: (_a2sf_policy_v1_SelectActionResponse)[];
}

export interface SelectActionsResponse__Output {
  'responses': (_a2sf_policy_v1_SelectActionResponse__Output)[];
}
