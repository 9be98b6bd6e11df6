// Original file: protos/a2sf/generator/v1/generator.proto

import type { Continuation as _a2sf_generator_v1_Continuation, Continuation__Output as _a2sf_generator_v1_Continuation__Output } from '../../../a2sf/generator/v1/Continuation.js';
import type { SweepResult as _a2sf_generator_v1_SweepResult, SweepResult__Output as _a2sf_generator_v1_SweepResult__Output } from '../../../a2sf/generator/v1/SweepResult.js';

export interface SweepResponse {
  'full'?: (_a2sf_generator_v1_Continuation | null);
  'results'?: (_a2sf_generator_v1_SweepResult)[];
  'promptTokens'?: (number);
  'truncated'?: (boolean);
  'keptTokens'?: (number);
  'prefillMs'?: (number | string);
  'decodeMs'?: (number | string);
}

export interface SweepResponse__Output {
  'full': (_a2sf_generator_v1_Continuation__Output | null);
  'results': (_a2sf_generator_v1_SweepResult__Output)[];
  'promptTokens': (number);
  'truncated': (boolean);
  'keptTokens': (number);
  'prefillMs': (number);
  'decodeMs': (number);
}
