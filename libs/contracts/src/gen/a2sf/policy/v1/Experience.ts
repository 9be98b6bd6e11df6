// Original file: protos/a2sf/policy/v1/policy.proto

import type { Embedding as _a2sf_types_v1_Embedding, Embedding__Output as _a2sf_types_v1_Embedding__Output } from '../../../a2sf/types/v1/Embedding.js';

export interface Experience {
  'id'?: (string);
  'embedding'?: (_a2sf_types_v1_Embedding | null);
  'actionIndex'?: (number);
  'reward'?: (number | string);
  'rewards'?: (number | string)[];
  'key'?: (string);
}

export interface Experience__Output {
  'id': (string);
  'embedding': (_a2sf_types_v1_Embedding__Output | null);
  'actionIndex': (number);
  'reward': (number);
  'rewards': (number)[];
  'key': (string);
}
