// Original file: protos/a2sf/generator/v1/generator.proto


export interface Sampling {
  'temperature'?: (number | string);
}

export interface Sampling__Output {
  'temperature': (number);
}
