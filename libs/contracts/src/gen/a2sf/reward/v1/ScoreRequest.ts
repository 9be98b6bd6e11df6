// Original file: protos/a2sf/reward/v1/reward.proto

import type { ScoreItem as _a2sf_reward_v1_ScoreItem, ScoreItem__Output as _a2sf_reward_v1_ScoreItem__Output } from '../../../a2sf/reward/v1/ScoreItem.js';

export interface ScoreRequest {
  'items'?: (_a2sf_reward_v1_ScoreItem)[];
}

export interface ScoreRequest__Output {
  'items': (_a2sf_reward_v1_ScoreItem__Output)[];
}
