import { A2sfError } from '@a2sf/errors';

/** `rope_scaling` of a Hugging Face config, as far as the Llama family uses it. */
export type RopeScaling =
  | { readonly type: 'none' }
  | { readonly type: 'linear'; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositions: number;
    };

/**
 * Inverse frequencies of the rotary embedding: f_i = theta^(-2i/D), i = 0 .. D/2-1 (RoFormer, arXiv 2104.09864, eq. 15),
 * divided by the scaling:
 * - linear: f_i / factor (position interpolation, arXiv 2306.15595);
 * - llama3: wavelengths 2 pi / f_i above original/low are divided by the factor, those below original/high are kept, the
 *   band between is blended linearly in original / wavelength (Llama 3.1's published rule).
 * @returns D/2 numbers, float64.
 */
export function inverseFrequencies(headDim: number, theta: number, scaling: RopeScaling): Float64Array {
  const frequencies = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  switch (scaling.type) {
    case 'none':
      return frequencies;
    case 'linear':
      return frequencies.map((f) => f / scaling.factor);
    case 'llama3': {
      const { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositions: original } = scaling;
      return frequencies.map((f) => {
        const turns = (original * f) / (2 * Math.PI);
        if (turns < low) return f / factor;
        if (turns > high) return f;
        const smooth = (turns - low) / (high - low);
        return ((1 - smooth) * f) / factor + smooth * f;
      });
    }
  }
}

/** cos and sin of every position's angles, each [positions, D/2], computed in float64 and rounded once. */
export function rotaryTables(frequencies: Float64Array, positions: number): { cos: Float32Array; sin: Float32Array } {
  const half = frequencies.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let p = 0; p < positions; p++) {
    for (let i = 0; i < half; i++) {
      const angle = p * frequencies[i]!;
      cos[p * half + i] = Math.cos(angle);
      sin[p * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

/** Reads `rope_scaling` (or the newer `rope_parameters`); unknown kinds are refused, never ignored. */
export function readRopeScaling(value: unknown): RopeScaling {
  if (value === null || value === undefined) return { type: 'none' };
  if (typeof value !== 'object') throw A2sfError.invalid('config.json: rope_scaling', 'must be an object or null');
  const fields = value as Record<string, unknown>;
  const positive = (name: string): number => {
    const v = fields[name];
    if (typeof v !== 'number' || !(v > 0) || !Number.isFinite(v)) {
      throw A2sfError.invalid(`config.json: rope_scaling.${name}`, 'must be a positive number');
    }
    return v;
  };
  const type = fields['rope_type'] ?? fields['type'] ?? 'default';
  switch (type) {
    case 'default':
      return { type: 'none' };
    case 'linear':
      return { type: 'linear', factor: positive('factor') };
    case 'llama3':
      return {
        type: 'llama3',
        factor: positive('factor'),
        lowFreqFactor: positive('low_freq_factor'),
        highFreqFactor: positive('high_freq_factor'),
        originalMaxPositions: positive('original_max_position_embeddings'),
      };
    default:
      throw new A2sfError(
        'FAILED_PRECONDITION',
        `config.json: rope_scaling.rope_type: ${JSON.stringify(type)} is not supported (known: default, linear, llama3)`,
        { field: 'rope_scaling', reason: 'unsupported-rope-scaling' },
      );
  }
}
