// Original file: protos/a2sf/generator/v1/generator.proto


export interface Sampling {
  'temperature'?: (number | string);
  'repetitionPenalty'?: (number | string);
  'topK'?: (number);
  'topP'?: (number | string);
  'minP'?: (number | string);
  'seed'?: (number);
  '_seed'?: "seed";
}

export interface Sampling__Output {
  'temperature': (number);
  'repetitionPenalty': (number);
  'topK': (number);
  'topP': (number);
  'minP': (number);
  'seed'?: (number);
  '_seed'?: "seed";
}
