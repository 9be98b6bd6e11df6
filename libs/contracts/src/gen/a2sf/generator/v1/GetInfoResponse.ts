// Original file: protos/a2sf/generator/v1/generator.proto


export interface GetInfoResponse {
  'model'?: (string);
  'family'?: (string);
  'layers'?: (number);
  'kvHeads'?: (number);
  'vocab'?: (number);
  'maxPromptTokens'?: (number);
  'device'?: (string);
  'dtype'?: (string);
  'slots'?: (number);
  'modelId'?: (string);
  'hasTokenizer'?: (boolean);
  'methods'?: (string)[];
  'hasChatTemplate'?: (boolean);
}

export interface GetInfoResponse__Output {
  'model': (string);
  'family': (string);
  'layers': (number);
  'kvHeads': (number);
  'vocab': (number);
  'maxPromptTokens': (number);
  'device': (string);
  'dtype': (string);
  'slots': (number);
  'modelId': (string);
  'hasTokenizer': (boolean);
  'methods': (string)[];
  'hasChatTemplate': (boolean);
}
