// Original file: protos/a2sf/generator/v1/generator.proto

export const PromptWrap = {
  PROMPT_WRAP_UNSPECIFIED: 'PROMPT_WRAP_UNSPECIFIED',
  PROMPT_WRAP_INST: 'PROMPT_WRAP_INST',
  PROMPT_WRAP_CHAT: 'PROMPT_WRAP_CHAT',
} as const;

export type PromptWrap =
  | 'PROMPT_WRAP_UNSPECIFIED'
  | 0
  | 'PROMPT_WRAP_INST'
  | 1
  | 'PROMPT_WRAP_CHAT'
  | 2

export type PromptWrap__Output = typeof PromptWrap[keyof typeof PromptWrap]
