// Original file: protos/a2sf/generator/v1/generator.proto


export interface ScoreContinuationResponse {
  'tokenIds'?: (number)[];
  'logProbs'?: (number | string)[];
  'promptTokens'?: (number);
  'keptTokens'?: (number);
  'truncated'?: (boolean);
}

export interface ScoreContinuationResponse__Output {
  'tokenIds': (number)[];
  'logProbs': (number)[];
  'promptTokens': (number);
  'keptTokens': (number);
  'truncated': (boolean);
}
