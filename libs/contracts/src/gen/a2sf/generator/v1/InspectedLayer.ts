// Original file: protos/a2sf/generator/v1/generator.proto

import type { InspectedHead as _a2sf_generator_v1_InspectedHead, InspectedHead__Output as _a2sf_generator_v1_InspectedHead__Output } from '../../../a2sf/generator/v1/InspectedHead.js';

export interface InspectedLayer {
  'layer'?: (number);
  'heads'?: (_a2sf_generator_v1_InspectedHead)[];
}

export interface InspectedLayer__Output {
  'layer': (number);
  'heads': (_a2sf_generator_v1_InspectedHead__Output)[];
}
