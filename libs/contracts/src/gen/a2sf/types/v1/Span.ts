// Original file: protos/a2sf/types/v1/types.proto


export interface Span {
  'start'?: (number);
  'end'?: (number);
}

export interface Span__Output {
  'start': (number);
  'end': (number);
}
