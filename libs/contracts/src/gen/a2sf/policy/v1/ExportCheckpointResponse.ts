// Original file: protos/a2sf/policy/v1/policy.proto


export interface ExportCheckpointResponse {
  'data'?: (Buffer | Uint8Array | string);
}

export interface ExportCheckpointResponse__Output {
  'data': (Buffer);
}
