// Original file: protos/a2sf/policy/v1/policy.proto


export interface WatchPolicyRequest {
}

export interface WatchPolicyRequest__Output {
}
