// Original file: protos/a2sf/types/v1/types.proto


export interface Embedding {
  'values'?: (number | string)[];
  'tokens'?: (number);
  'truncated'?: (boolean);
  'empty'?: (boolean);
  'encoderId'?: (string);
}

export interface Embedding__Output {
  'values': (number)[];
  'tokens': (number);
  'truncated': (boolean);
  'empty': (boolean);
  'encoderId': (string);
}
