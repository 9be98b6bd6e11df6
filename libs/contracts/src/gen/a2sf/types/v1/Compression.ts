// Original file: protos/a2sf/types/v1/types.proto

import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from '../../../a2sf/types/v1/Action.js';

export interface Compression {
  'action'?: (_a2sf_types_v1_Action | null);
  'budget'?: (number);
  'recent'?: (number);
}

export interface Compression__Output {
  'action': (_a2sf_types_v1_Action__Output | null);
  'budget': (number);
  'recent': (number);
}
