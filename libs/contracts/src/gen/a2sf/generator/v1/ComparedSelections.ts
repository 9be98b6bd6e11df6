// Original file: protos/a2sf/generator/v1/generator.proto

import type { Action as _a2sf_types_v1_Action, Action__Output as _a2sf_types_v1_Action__Output } from '../../../a2sf/types/v1/Action.js';
import type { Compression as _a2sf_types_v1_Compression, Compression__Output as _a2sf_types_v1_Compression__Output } from '../../../a2sf/types/v1/Compression.js';

export interface ComparedSelections {
  'actions'?: (_a2sf_types_v1_Action)[];
  'compressions'?: (_a2sf_types_v1_Compression)[];
}

export interface ComparedSelections__Output {
  'actions': (_a2sf_types_v1_Action__Output)[];
  'compressions': (_a2sf_types_v1_Compression__Output)[];
}
