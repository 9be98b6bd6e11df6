// Original file: protos/a2sf/encoder/v1/encoder.proto

import type { Embedding as _a2sf_types_v1_Embedding, Embedding__Output as _a2sf_types_v1_Embedding__Output } from '../../../a2sf/types/v1/Embedding.js';

export interface EncodeResponse {
  'embeddings'?: (_a2sf_types_v1_Embedding)[];
}

export interface EncodeResponse__Output {
  'embeddings': (_a2sf_types_v1_Embedding__Output)[];
}
