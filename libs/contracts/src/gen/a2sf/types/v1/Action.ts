// Original file: protos/a2sf/types/v1/types.proto


export interface Action {
  'a'?: (number | string);
  'b'?: (number);
  'budget'?: (number);
  '_budget'?: "budget";
}

export interface Action__Output {
  'a': (number);
  'b': (number);
  'budget'?: (number);
  '_budget'?: "budget";
}
