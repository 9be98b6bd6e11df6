// Original file: protos/a2sf/policy/v1/policy.proto


export interface PromoteChallengerRequest {
}

export interface PromoteChallengerRequest__Output {
}
