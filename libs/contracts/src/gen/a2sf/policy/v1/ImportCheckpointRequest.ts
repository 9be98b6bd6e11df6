// Original file: protos/a2sf/policy/v1/policy.proto


export interface ImportCheckpointRequest {
  'data'?: (Buffer | Uint8Array | string);
  'challenger'?: (boolean);
}

export interface ImportCheckpointRequest__Output {
  'data': (Buffer);
  'challenger': (boolean);
}
