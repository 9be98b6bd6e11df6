// Original file: protos/a2sf/generator/v1/generator.proto

import type { Prompt as _a2sf_types_v1_Prompt, Prompt__Output as _a2sf_types_v1_Prompt__Output } from '../../../a2sf/types/v1/Prompt.js';
import type { Compression as _a2sf_types_v1_Compression, Compression__Output as _a2sf_types_v1_Compression__Output } from '../../../a2sf/types/v1/Compression.js';
import type { PromptWrap as _a2sf_generator_v1_PromptWrap, PromptWrap__Output as _a2sf_generator_v1_PromptWrap__Output } from '../../../a2sf/generator/v1/PromptWrap.js';
import type { ComparedSelections as _a2sf_generator_v1_ComparedSelections, ComparedSelections__Output as _a2sf_generator_v1_ComparedSelections__Output } from '../../../a2sf/generator/v1/ComparedSelections.js';

export interface InspectRequest {
  'prompt'?: (_a2sf_types_v1_Prompt | null);
  'compression'?: (_a2sf_types_v1_Compression | null);
  'layers'?: (number)[];
  'withScores'?: (boolean);
  'truncate'?: (boolean);
  'maxPromptTokens'?: (number);
  'wrap'?: (_a2sf_generator_v1_PromptWrap);
  'withStatistics'?: (boolean);
  'compare'?: (_a2sf_generator_v1_ComparedSelections | null);
}

export interface InspectRequest__Output {
  'prompt': (_a2sf_types_v1_Prompt__Output | null);
  'compression': (_a2sf_types_v1_Compression__Output | null);
  'layers': (number)[];
  'withScores': (boolean);
  'truncate': (boolean);
  'maxPromptTokens': (number);
  'wrap': (_a2sf_generator_v1_PromptWrap__Output);
  'withStatistics': (boolean);
  'compare': (_a2sf_generator_v1_ComparedSelections__Output | null);
}
