// Original file: protos/a2sf/generator/v1/generator.proto

import type { InspectedLayer as _a2sf_generator_v1_InspectedLayer, InspectedLayer__Output as _a2sf_generator_v1_InspectedLayer__Output } from '../../../a2sf/generator/v1/InspectedLayer.js';
import type { SelectionOverlap as _a2sf_generator_v1_SelectionOverlap, SelectionOverlap__Output as _a2sf_generator_v1_SelectionOverlap__Output } from '../../../a2sf/generator/v1/SelectionOverlap.js';

export interface InspectResponse {
  'promptTokens'?: (number);
  'layers'?: (_a2sf_generator_v1_InspectedLayer)[];
  'truncated'?: (boolean);
  'overlaps'?: (_a2sf_generator_v1_SelectionOverlap)[];
}

export interface InspectResponse__Output {
  'promptTokens': (number);
  'layers': (_a2sf_generator_v1_InspectedLayer__Output)[];
  'truncated': (boolean);
  'overlaps': (_a2sf_generator_v1_SelectionOverlap__Output)[];
}
