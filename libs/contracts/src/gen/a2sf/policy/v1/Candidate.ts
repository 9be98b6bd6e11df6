// Original file: protos/a2sf/policy/v1/policy.proto

import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from '../../../a2sf/types/v1/Action.js';

export interface Candidate {
  'action'?: (_a2sf_types_v1_Action | null);
  'predictedReward'?: (number | string);
  'uncertainty'?: (number | string);
  'lowerBound'?: (number | string);
}

export interface Candidate__Output {
  'action': (_a2sf_types_v1_Action__Output | null);
  'predictedReward': (number);
  'uncertainty': (number);
  'lowerBound': (number);
}
