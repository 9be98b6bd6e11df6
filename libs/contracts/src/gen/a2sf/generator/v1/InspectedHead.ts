// Original file: protos/a2sf/generator/v1/generator.proto


export interface InspectedHead {
  'positions'?: (number)[];
  'scores'?: (number | string)[];
}

export interface InspectedHead__Output {
  'positions': (number)[];
  'scores': (number)[];
}
