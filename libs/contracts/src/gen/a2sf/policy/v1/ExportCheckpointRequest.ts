// Original file: protos/a2sf/policy/v1/policy.proto


export interface ExportCheckpointRequest {
}

export interface ExportCheckpointRequest__Output {
}
