// Original file: protos/a2sf/policy/v1/policy.proto


export interface HyperParameters {
  'lr'?: (number | string);
  'ucbBeta'?: (number | string);
  'uncertaintyCoef'?: (number | string);
  'maxGradNorm'?: (number | string);
  'hidden'?: (number);
  'stepsPerUpdate'?: (number);
}

export interface HyperParameters__Output {
  'lr': (number);
  'ucbBeta': (number);
  'uncertaintyCoef': (number);
  'maxGradNorm': (number);
  'hidden': (number);
  'stepsPerUpdate': (number);
}
