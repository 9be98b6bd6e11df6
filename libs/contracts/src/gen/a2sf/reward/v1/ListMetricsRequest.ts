// Original file: protos/a2sf/reward/v1/reward.proto


export interface ListMetricsRequest {
}

export interface ListMetricsRequest__Output {
}
