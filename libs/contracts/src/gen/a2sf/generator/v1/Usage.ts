// Original file: protos/a2sf/generator/v1/generator.proto

import type { Long } from '@grpc/proto-loader';

export interface Usage {
  'promptTokens'?: (number);
  'keptTokens'?: (number);
  'generatedTokens'?: (number);
  'cacheBytes'?: (number | string | Long);
  'fullCacheBytes'?: (number | string | Long);
  'prefillMs'?: (number | string);
  'decodeMs'?: (number | string);
}

export interface Usage__Output {
  'promptTokens': (number);
  'keptTokens': (number);
  'generatedTokens': (number);
  'cacheBytes': (string);
  'fullCacheBytes': (string);
  'prefillMs': (number);
  'decodeMs': (number);
}
