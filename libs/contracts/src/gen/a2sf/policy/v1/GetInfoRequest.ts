// Original file: protos/a2sf/policy/v1/policy.proto


export interface GetInfoRequest {
}

export interface GetInfoRequest__Output {
}
