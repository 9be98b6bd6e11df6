// Original file: protos/a2sf/encoder/v1/encoder.proto


export interface GetInfoResponse {
  'model'?: (string);
  'dimension'?: (number);
  'maxTokens'?: (number);
  'pooling'?: (string);
  'device'?: (string);
  'encoderId'?: (string);
  'normalised'?: (boolean);
}

export interface GetInfoResponse__Output {
  'model': (string);
  'dimension': (number);
  'maxTokens': (number);
  'pooling': (string);
  'device': (string);
  'encoderId': (string);
  'normalised': (boolean);
}
