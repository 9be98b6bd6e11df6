// Original file: protos/a2sf/policy/v1/policy.proto


export interface ExportCheckpointRequest {
  'iteration'?: (number);
  'servingOnly'?: (boolean);
  'since'?: (string);
  '_iteration'?: "iteration";
}

export interface ExportCheckpointRequest__Output {
  'iteration'?: (number);
  'servingOnly': (boolean);
  'since': (string);
  '_iteration'?: "iteration";
}
