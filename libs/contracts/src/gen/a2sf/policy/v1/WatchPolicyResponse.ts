// Original file: protos/a2sf/policy/v1/policy.proto

import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../google/protobuf/Timestamp.js';
import type { Long } from '@grpc/proto-loader';

export interface WatchPolicyResponse {
  'policyVersion'?: (number | string | Long);
  'iteration'?: (number);
  'updatedAt'?: (_google_protobuf_Timestamp | null);
}

export interface WatchPolicyResponse__Output {
  'policyVersion': (string);
  'iteration': (number);
  'updatedAt': (_google_protobuf_Timestamp__Output | null);
}
