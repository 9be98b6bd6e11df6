import { randomInt } from 'node:crypto';
import type { SamplingOutput } from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import type { SamplingOptions } from '@a2sf/inference';

/**
 * Checks the fields of a Sampling and fills in what is left out: 0 means none for each restriction, an absent seed a new
 * one. Undefined: greedy. Throws INVALID_ARGUMENT naming the field and its range.
 */
export function readSampling(sampling: SamplingOutput | null): SamplingOptions | undefined {
  if (sampling === null) return undefined;
  const within = (name: string, value: number, min: number, max: number): number => {
    if (value >= min && value <= max) return value;
    throw A2sfError.invalid(`sampling.${name}`, `must be a number from ${min} to ${max}, got ${value}`);
  };
  const orNone = (name: string, value: number, min: number, max: number, none: number): number =>
    value === 0 ? none : within(name, value, min, max);
  const options = {
    temperature: within('temperature', sampling.temperature, 0, 100),
    repetitionPenalty: orNone('repetition_penalty', sampling.repetitionPenalty, 0.01, 100, 1),
    topK: sampling.topK,
    topP: orNone('top_p', sampling.topP, 0, 1, 1),
    minP: within('min_p', sampling.minP, 0, 1),
    seed: sampling.seed ?? randomInt(2 ** 32),
  };
  return options.temperature === 0 ? undefined : options;
}
