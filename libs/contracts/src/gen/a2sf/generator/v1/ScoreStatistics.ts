// Original file: protos/a2sf/generator/v1/generator.proto


export interface ScoreStatistics {
  'entropy'?: (number | string);
  'sinkMass'?: (number | string);
}

export interface ScoreStatistics__Output {
  'entropy': (number);
  'sinkMass': (number);
}
