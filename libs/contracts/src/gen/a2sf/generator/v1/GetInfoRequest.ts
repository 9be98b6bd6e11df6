// Original file: protos/a2sf/generator/v1/generator.proto


export interface GetInfoRequest {
}

export interface GetInfoRequest__Output {
}
