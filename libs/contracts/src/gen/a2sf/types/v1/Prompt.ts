// Original file: protos/a2sf/types/v1/types.proto

import type { TokenIds as _a2sf_types_v1_TokenIds, TokenIds__Output as _a2sf_types_v1_TokenIds__Output } from '../../../a2sf/types/v1/TokenIds.js';

export interface Prompt {
  'text'?: (string);
  'tokenIds'?: (_a2sf_types_v1_TokenIds | null);
  'source'?: "text"|"tokenIds";
}

export interface Prompt__Output {
  'text'?: (string);
  'tokenIds'?: (_a2sf_types_v1_TokenIds__Output | null);
  'source'?: "text"|"tokenIds";
}
