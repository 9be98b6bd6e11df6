// Original file: protos/a2sf/generator/v1/generator.proto

import type { Prompt as _a2sf_types_v1_Prompt, Prompt__Output as _a2sf_types_v1_Prompt__Output } from '../../../a2sf/types/v1/Prompt.js';
import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from '../../../a2sf/types/v1/Action.js';
import type { PromptWrap as _a2sf_generator_v1_PromptWrap, PromptWrap__Output as _a2sf_generator_v1_PromptWrap__Output } from '../../../a2sf/generator/v1/PromptWrap.js';
import type { Span as _a2sf_types_v1_Span, Span__Output as _a2sf_types_v1_Span__Output } from '../../../a2sf/types/v1/Span.js';
import type { Compression as _a2sf_types_v1_Compression, Compression__Output as _a2sf_types_v1_Compression__Output } from '../../../a2sf/types/v1/Compression.js';

export interface SweepRequest {
  'prompt'?: (_a2sf_types_v1_Prompt | null);
  'actions'?: (_a2sf_types_v1_Action)[];
  'budget'?: (number);
  'recent'?: (number);
  'maxNewTokens'?: (number);
  'ignoreEos'?: (boolean);
  'includeFull'?: (boolean);
  'truncate'?: (boolean);
  'maxPromptTokens'?: (number);
  'wrap'?: (_a2sf_generator_v1_PromptWrap);
  'keep'?: (_a2sf_types_v1_Span)[];
  'budgetShare'?: (number | string);
  'compressions'?: (_a2sf_types_v1_Compression)[];
  'scoreFull'?: (boolean);
}

export interface SweepRequest__Output {
  'prompt': (_a2sf_types_v1_Prompt__Output | null);
  'actions': (_a2sf_types_v1_Action__Output)[];
  'budget': (number);
  'recent': (number);
  'maxNewTokens': (number);
  'ignoreEos': (boolean);
  'includeFull': (boolean);
  'truncate': (boolean);
  'maxPromptTokens': (number);
  'wrap': (_a2sf_generator_v1_PromptWrap__Output);
  'keep': (_a2sf_types_v1_Span__Output)[];
  'budgetShare': (number);
  'compressions': (_a2sf_types_v1_Compression__Output)[];
  'scoreFull': (boolean);
}
