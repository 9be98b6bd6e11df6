// Original file: protos/a2sf/reward/v1/reward.proto


export interface ScoreItem {
  'metric'?: (string);
  'prediction'?: (string);
  'references'?: (string)[];
  'allClasses'?: (string)[];
  'dataset'?: (string);
  'logProbs'?: (number | string)[];
}

export interface ScoreItem__Output {
  'metric': (string);
  'prediction': (string);
  'references': (string)[];
  'allClasses': (string)[];
  'dataset': (string);
  'logProbs': (number)[];
}
