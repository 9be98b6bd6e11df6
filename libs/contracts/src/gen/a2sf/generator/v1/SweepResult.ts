// Original file: protos/a2sf/generator/v1/generator.proto

import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from '../../../a2sf/types/v1/Action.js';

export interface SweepResult {
  'action'?: (_a2sf_types_v1_Action | null);
  'actionIndex'?: (number);
  'text'?: (string);
  'tokenIds'?: (number)[];
  'sameAs'?: (number);
  'logProbs'?: (number | string)[];
  'keptTokens'?: (number);
  '_actionIndex'?: "actionIndex";
  '_sameAs'?: "sameAs";
}

export interface SweepResult__Output {
  'action': (_a2sf_types_v1_Action__Output | null);
  'actionIndex'?: (number);
  'text': (string);
  'tokenIds': (number)[];
  'sameAs'?: (number);
  'logProbs': (number)[];
  'keptTokens': (number);
  '_actionIndex'?: "actionIndex";
  '_sameAs'?: "sameAs";
}
