// Original file: protos/a2sf/generator/v1/generator.proto

import type { InspectedHead as _a2sf_generator_v1_InspectedHead, InspectedHead__Output as _a2sf_generator_v1_InspectedHead__Output } from '../../../a2sf/generator/v1/InspectedHead.js';
import type { ScoreStatistics as _a2sf_generator_v1_ScoreStatistics, ScoreStatistics__Output as _a2sf_generator_v1_ScoreStatistics__Output } from '../../../a2sf/generator/v1/ScoreStatistics.js';

export interface InspectedLayer {
  'layer'?: (number);
  'heads'?: (_a2sf_generator_v1_InspectedHead)[];
  'statistics'?: (_a2sf_generator_v1_ScoreStatistics | null);
}

export interface InspectedLayer__Output {
  'layer': (number);
  'heads': (_a2sf_generator_v1_InspectedHead__Output)[];
  'statistics': (_a2sf_generator_v1_ScoreStatistics__Output | null);
}
