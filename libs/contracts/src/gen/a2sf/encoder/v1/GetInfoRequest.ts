// Original file: protos/a2sf/encoder/v1/encoder.proto


export interface GetInfoRequest {
}

export interface GetInfoRequest__Output {
}
