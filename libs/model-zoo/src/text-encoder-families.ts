import { A2sfError } from '@a2sf/errors';
import type { ConfigReader } from './config-reader.js';
import { bert } from './families/bert.js';
import { jinaBert } from './families/jina-bert.js';
import { m2Bert } from './families/m2-bert.js';
import type { TextEncoderFamily } from './text-encoder.js';

/** Every family of text encoders, in the order they are asked: BERT last, for the others call themselves BERT too. */
export const textEncoderFamilies: readonly TextEncoderFamily[] = [m2Bert, jinaBert, bert];

/** The family that computes a model. Throws FAILED_PRECONDITION, naming the known ones, when there is none. */
export function textEncoderFamilyOf(config: ConfigReader): TextEncoderFamily {
  const family = textEncoderFamilies.find((candidate) => candidate.recognises(config));
  if (family !== undefined) return family;
  const known = textEncoderFamilies.map(({ name, mark }) => `${name} (${mark})`).join(', ');
  const told = JSON.stringify(config.raw('architectures') ?? config.raw('model_type') ?? null).slice(0, 120);
  throw new A2sfError(
    'FAILED_PRECONDITION',
    `config.json: architectures: ${told} is not a known text encoder; known: ${known}`,
    {
      field: 'architectures',
      reason: 'unsupported-architecture',
    },
  );
}
