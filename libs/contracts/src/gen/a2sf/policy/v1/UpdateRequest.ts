// Original file: protos/a2sf/policy/v1/policy.proto

import type { Experience as _a2sf_policy_v1_Experience, Experience__Output as _a2sf_policy_v1_Experience__Output } from '../../../a2sf/policy/v1/Experience.js';

export interface UpdateRequest {
  'updateId'?: (string);
  'experiences'?: (_a2sf_policy_v1_Experience)[];
}

export interface UpdateRequest__Output {
  'updateId': (string);
  'experiences': (_a2sf_policy_v1_Experience__Output)[];
}
