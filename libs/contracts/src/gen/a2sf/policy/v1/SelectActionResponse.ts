// Original file: protos/a2sf/policy/v1/policy.proto

import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from '../../../a2sf/types/v1/Action.js';
import type { Long } from '@grpc/proto-loader';

export interface SelectActionResponse {
  'action'?: (_a2sf_types_v1_Action | null);
  'actionIndex'?: (number);
  'predictedReward'?: (number | string);
  'uncertainty'?: (number | string);
  'ucb'?: (number | string);
  'policyVersion'?: (number | string | Long);
  'useFullCache'?: (boolean);
}

export interface SelectActionResponse__Output {
  'action': (_a2sf_types_v1_Action__Output | null);
  'actionIndex': (number);
  'predictedReward': (number);
  'uncertainty': (number);
  'ucb': (number);
  'policyVersion': (string);
  'useFullCache': (boolean);
}
