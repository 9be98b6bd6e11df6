// Original file: protos/a2sf/types/v1/types.proto

import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from '../../../a2sf/types/v1/Action.js';
import type { Span as _a2sf_types_v1_Span, Span__Output as _a2sf_types_v1_Span__Output } from '../../../a2sf/types/v1/Span.js';

export interface Compression {
  'action'?: (_a2sf_types_v1_Action | null);
  'budget'?: (number);
  'recent'?: (number);
  'method'?: (string);
  'keep'?: (_a2sf_types_v1_Span)[];
  'budgetShare'?: (number | string);
  'sinks'?: (number);
  'observationWindow'?: (number);
  'pooling'?: (number);
  'forgetting'?: (number | string);
  'seed'?: (number);
  '_sinks'?: "sinks";
  '_observationWindow'?: "observationWindow";
  '_pooling'?: "pooling";
  '_forgetting'?: "forgetting";
  '_seed'?: "seed";
}

export interface Compression__Output {
  'action': (_a2sf_types_v1_Action__Output | null);
  'budget': (number);
  'recent': (number);
  'method': (string);
  'keep': (_a2sf_types_v1_Span__Output)[];
  'budgetShare': (number);
  'sinks'?: (number);
  'observationWindow'?: (number);
  'pooling'?: (number);
  'forgetting'?: (number);
  'seed'?: (number);
  '_sinks'?: "sinks";
  '_observationWindow'?: "observationWindow";
  '_pooling'?: "pooling";
  '_forgetting'?: "forgetting";
  '_seed'?: "seed";
}
