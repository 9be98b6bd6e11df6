// Original file: protos/a2sf/policy/v1/policy.proto

import type { Embedding as _a2sf_types_v1_Embedding, Embedding__Output as _a2sf_types_v1_Embedding__Output } from '../../../a2sf/types/v1/Embedding.js';

export interface SelectActionRequest {
  'text'?: (string);
  'embedding'?: (_a2sf_types_v1_Embedding | null);
  'explore'?: (boolean);
  'beta'?: (number | string);
  'epsilon'?: (number | string);
  'key'?: (string);
  'explain'?: (boolean);
  'withLowerBound'?: (boolean);
  'context'?: "text"|"embedding";
  '_beta'?: "beta";
  '_epsilon'?: "epsilon";
}

export interface SelectActionRequest__Output {
  'text'?: (string);
  'embedding'?: (_a2sf_types_v1_Embedding__Output | null);
  'explore': (boolean);
  'beta'?: (number);
  'epsilon'?: (number);
  'key': (string);
  'explain': (boolean);
  'withLowerBound': (boolean);
  'context'?: "text"|"embedding";
  '_beta'?: "beta";
  '_epsilon'?: "epsilon";
}
