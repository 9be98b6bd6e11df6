// Original file: protos/a2sf/generator/v1/generator.proto

import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from '../../../a2sf/types/v1/Action.js';

export interface SelectionOverlap {
  'action'?: (_a2sf_types_v1_Action | null);
  'actionIndex'?: (number);
  'keptTokens'?: (number);
  'jaccard'?: (number | string);
  '_actionIndex'?: "actionIndex";
}

export interface SelectionOverlap__Output {
  'action': (_a2sf_types_v1_Action__Output | null);
  'actionIndex'?: (number);
  'keptTokens': (number);
  'jaccard': (number);
  '_actionIndex'?: "actionIndex";
}
