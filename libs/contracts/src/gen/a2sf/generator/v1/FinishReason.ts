// Original file: protos/a2sf/generator/v1/generator.proto

export const FinishReason = {
  FINISH_REASON_UNSPECIFIED: 'FINISH_REASON_UNSPECIFIED',
  FINISH_REASON_END_TOKEN: 'FINISH_REASON_END_TOKEN',
  FINISH_REASON_LENGTH: 'FINISH_REASON_LENGTH',
  FINISH_REASON_STOP: 'FINISH_REASON_STOP',
} as const;

export type FinishReason =
  | 'FINISH_REASON_UNSPECIFIED'
  | 0
  | 'FINISH_REASON_END_TOKEN'
  | 1
  | 'FINISH_REASON_LENGTH'
  | 2
  | 'FINISH_REASON_STOP'
  | 3

export type FinishReason__Output = typeof FinishReason[keyof typeof FinishReason]
