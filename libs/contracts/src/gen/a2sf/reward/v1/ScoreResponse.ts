// Original file: protos/a2sf/reward/v1/reward.proto


export interface ScoreResponse {
  'scores'?: (number | string)[];
}

export interface ScoreResponse__Output {
  'scores': (number)[];
}
