// Original file: protos/a2sf/policy/v1/policy.proto

import type { SelectActionRequest as _a2sf_policy_v1_SelectActionRequest, SelectActionRequest__Output as _a2sf_policy_v1_SelectActionRequest__Output } from '../../../a2sf/policy/v1/SelectActionRequest.js';

export interface SelectActionsRequest {
  'requests'?: (_a2sf_policy_v1_SelectActionRequest)[];
}

export interface SelectActionsRequest__Output {
  'requests': (_a2sf_policy_v1_SelectActionRequest__Output)[];
}
