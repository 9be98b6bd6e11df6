// Original file: protos/a2sf/generator/v1/generator.proto

import type { FinishReason as _a2sf_generator_v1_FinishReason, FinishReason__Output as _a2sf_generator_v1_FinishReason__Output } from '../../../a2sf/generator/v1/FinishReason.js';
import type { Usage as _a2sf_generator_v1_Usage, Usage__Output as _a2sf_generator_v1_Usage__Output } from '../../../a2sf/generator/v1/Usage.js';
import type { TopTokens as _a2sf_generator_v1_TopTokens, TopTokens__Output as _a2sf_generator_v1_TopTokens__Output } from '../../../a2sf/generator/v1/TopTokens.js';

export interface GenerateResponse {
  'text'?: (string);
  'tokenIds'?: (number)[];
  'finishReason'?: (_a2sf_generator_v1_FinishReason);
  'usage'?: (_a2sf_generator_v1_Usage | null);
  'truncated'?: (boolean);
  'logProbs'?: (number | string)[];
  'topTokens'?: (_a2sf_generator_v1_TopTokens)[];
}

export interface GenerateResponse__Output {
  'text': (string);
  'tokenIds': (number)[];
  'finishReason': (_a2sf_generator_v1_FinishReason__Output);
  'usage': (_a2sf_generator_v1_Usage__Output | null);
  'truncated': (boolean);
  'logProbs': (number)[];
  'topTokens': (_a2sf_generator_v1_TopTokens__Output)[];
}
