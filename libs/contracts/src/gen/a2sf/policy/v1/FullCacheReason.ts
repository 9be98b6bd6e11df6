// Original file: protos/a2sf/policy/v1/policy.proto

export const FullCacheReason = {
  FULL_CACHE_REASON_UNSPECIFIED: 'FULL_CACHE_REASON_UNSPECIFIED',
  FULL_CACHE_REASON_EMPTY_CONTEXT: 'FULL_CACHE_REASON_EMPTY_CONTEXT',
  FULL_CACHE_REASON_BELOW_FLOOR: 'FULL_CACHE_REASON_BELOW_FLOOR',
} as const;

export type FullCacheReason =
  | 'FULL_CACHE_REASON_UNSPECIFIED'
  | 0
  | 'FULL_CACHE_REASON_EMPTY_CONTEXT'
  | 1
  | 'FULL_CACHE_REASON_BELOW_FLOOR'
  | 2

export type FullCacheReason__Output = typeof FullCacheReason[keyof typeof FullCacheReason]
