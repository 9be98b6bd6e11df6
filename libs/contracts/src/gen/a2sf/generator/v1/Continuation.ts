// Original file: protos/a2sf/generator/v1/generator.proto


export interface Continuation {
  'text'?: (string);
  'tokenIds'?: (number)[];
  'logProbs'?: (number | string)[];
}

export interface Continuation__Output {
  'text': (string);
  'tokenIds': (number)[];
  'logProbs': (number)[];
}
