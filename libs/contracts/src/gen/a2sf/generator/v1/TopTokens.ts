// Original file: protos/a2sf/generator/v1/generator.proto


export interface TopTokens {
  'tokenIds'?: (number)[];
  'logProbs'?: (number | string)[];
}

export interface TopTokens__Output {
  'tokenIds': (number)[];
  'logProbs': (number)[];
}
