// Original file: protos/a2sf/reward/v1/reward.proto


export interface DatasetMetric {
  'dataset'?: (string);
  'metric'?: (string);
}

export interface DatasetMetric__Output {
  'dataset': (string);
  'metric': (string);
}
