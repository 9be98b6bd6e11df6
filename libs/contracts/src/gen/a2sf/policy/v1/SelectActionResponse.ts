// Original file: protos/a2sf/policy/v1/policy.proto

import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from '../../../a2sf/types/v1/Action.js';
import type { FullCacheReason as _a2sf_policy_v1_FullCacheReason, FullCacheReason__Output as _a2sf_policy_v1_FullCacheReason__Output } from '../../../a2sf/policy/v1/FullCacheReason.js';
import type { Candidate as _a2sf_policy_v1_Candidate, Candidate__Output as _a2sf_policy_v1_Candidate__Output } from '../../../a2sf/policy/v1/Candidate.js';
import type { Long } from '@grpc/proto-loader';

export interface SelectActionResponse {
  'action'?: (_a2sf_types_v1_Action | null);
  'actionIndex'?: (number);
  'predictedReward'?: (number | string);
  'uncertainty'?: (number | string);
  'ucb'?: (number | string);
  'policyVersion'?: (number | string | Long);
  'useFullCache'?: (boolean);
  'lowerBound'?: (number | string);
  'propensity'?: (number | string);
  'contextHash'?: (string);
  'decisionId'?: (string);
  'fullCacheReason'?: (_a2sf_policy_v1_FullCacheReason);
  'candidates'?: (_a2sf_policy_v1_Candidate)[];
  '_lowerBound'?: "lowerBound";
  '_propensity'?: "propensity";
}

export interface SelectActionResponse__Output {
  'action': (_a2sf_types_v1_Action__Output | null);
  'actionIndex': (number);
  'predictedReward': (number);
  'uncertainty': (number);
  'ucb': (number);
  'policyVersion': (string);
  'useFullCache': (boolean);
  'lowerBound'?: (number);
  'propensity'?: (number);
  'contextHash': (string);
  'decisionId': (string);
  'fullCacheReason': (_a2sf_policy_v1_FullCacheReason__Output);
  'candidates': (_a2sf_policy_v1_Candidate__Output)[];
  '_lowerBound'?: "lowerBound";
  '_propensity'?: "propensity";
}
