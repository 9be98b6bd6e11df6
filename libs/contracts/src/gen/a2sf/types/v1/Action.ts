// Original file: protos/a2sf/types/v1/types.proto


export interface Action {
  'a'?: (number | string);
  'b'?: (number);
}

export interface Action__Output {
  'a': (number);
  'b': (number);
}
