// Original file: protos/a2sf/generator/v1/generator.proto

import type { Prompt as _a2sf_types_v1_Prompt, Prompt__Output as _a2sf_types_v1_Prompt__Output } from '../../../a2sf/types/v1/Prompt.js';
import type { Compression as _a2sf_types_v1_Compression, Compression__Output as _a2sf_types_v1_Compression__Output } from '../../../a2sf/types/v1/Compression.js';
import type { Sampling as _a2sf_generator_v1_Sampling, Sampling__Output as _a2sf_generator_v1_Sampling__Output } from '../../../a2sf/generator/v1/Sampling.js';
import type { PromptWrap as _a2sf_generator_v1_PromptWrap, PromptWrap__Output as _a2sf_generator_v1_PromptWrap__Output } from '../../../a2sf/generator/v1/PromptWrap.js';

export interface GenerateRequest {
  'prompt'?: (_a2sf_types_v1_Prompt | null);
  'compression'?: (_a2sf_types_v1_Compression | null);
  'maxNewTokens'?: (number);
  'ignoreEos'?: (boolean);
  'stop'?: (string)[];
  'sampling'?: (_a2sf_generator_v1_Sampling | null);
  'truncate'?: (boolean);
  'maxPromptTokens'?: (number);
  'wrap'?: (_a2sf_generator_v1_PromptWrap);
  'stopTokenIds'?: (number)[];
  'logprobs'?: (number);
  '_logprobs'?: "logprobs";
}

export interface GenerateRequest__Output {
  'prompt': (_a2sf_types_v1_Prompt__Output | null);
  'compression': (_a2sf_types_v1_Compression__Output | null);
  'maxNewTokens': (number);
  'ignoreEos': (boolean);
  'stop': (string)[];
  'sampling': (_a2sf_generator_v1_Sampling__Output | null);
  'truncate': (boolean);
  'maxPromptTokens': (number);
  'wrap': (_a2sf_generator_v1_PromptWrap__Output);
  'stopTokenIds': (number)[];
  'logprobs'?: (number);
  '_logprobs'?: "logprobs";
}
