// Original file: protos/a2sf/encoder/v1/encoder.proto

import type { Prompt as _a2sf_types_v1_Prompt, Prompt__Output as _a2sf_types_v1_Prompt__Output } from '../../../a2sf/types/v1/Prompt.js';

export interface EncodeRequest {
  'inputs'?: (_a2sf_types_v1_Prompt)[];
}

export interface EncodeRequest__Output {
  'inputs': (_a2sf_types_v1_Prompt__Output)[];
}
