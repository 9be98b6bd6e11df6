import { A2sfError } from '@a2sf/errors';
import { ConfigReader } from './config-reader.js';
import { llama } from './families/llama.js';
import { opt } from './families/opt.js';
import { qwen2 } from './families/qwen2.js';
import type { LanguageModelFamily, LanguageModelShape } from './language-model.js';
import { languageModelGraph } from './language-model-graph.js';
import { readModelConfig } from './model-config.js';
import { readModelJson } from './model-json.js';
import { ModelWeights } from './model-weights.js';
import type { WeightFormat } from './quantisation.js';
import { quantisedWeights } from './quantised-weights.js';

/** Adding a family: one file in families/, one entry here. */
const families: readonly LanguageModelFamily[] = [llama, qwen2, opt];

/** A model folder made ready to run. */
export interface LoadedLanguageModel {
  readonly family: LanguageModelFamily;
  readonly shape: LanguageModelShape;
  readonly weights: ModelWeights;
  /** The ONNX graph; its external data lies in `weights.folder`. */
  readonly graph: Uint8Array;
  /** Positions the graph has room for. */
  readonly positions: number;
  /** Tokens that end a text. */
  readonly endTokens: ReadonlySet<number>;
}

/** Contexts above this are taken only when asked for: position tables and caches grow with them. */
const defaultContextTokens = 16_384;

export interface LoadLanguageModelOptions {
  /** The form that the linear layers are computed in; int8 and int4 are made once and cached beside the model. */
  readonly weights?: WeightFormat;
  /** One run of the graph can decode several tokens. */
  readonly loop?: boolean;
}

/**
 * Reads a language model's folder and builds its graph. Blocks its thread: at the first quantised load for as long as
 * quantising takes, at later ones while the weights are hashed.
 * @param contextTokens positions to make room for; default the model's own, at most 16384.
 */
export function loadLanguageModel(
  folder: string,
  contextTokens?: number,
  { weights: format = 'float32', loop = false }: LoadLanguageModelOptions = {},
): LoadedLanguageModel {
  const config = readModelConfig(folder);
  const family = findFamily(config);
  const shape = family.readShape(config);
  const positions = contextTokens ?? Math.min(shape.maxPositions, defaultContextTokens);
  if (positions > shape.maxPositions) {
    throw A2sfError.invalid(
      'context_tokens',
      `the model was made for ${shape.maxPositions} positions, got ${positions}`,
    );
  }
  const stored = new ModelWeights(folder, family.weightPrefixes);
  const build = (from: ModelWeights): Uint8Array =>
    languageModelGraph(shape, from, (decoder) => family.layers(decoder, config, positions), { loop });
  const weights = format === 'float32' ? stored : quantisedWeights(folder, stored, format, build);
  const graph = build(weights);
  return { family, shape, weights, graph, positions, endTokens: readEndTokens(folder, config, shape.vocab) };
}

function findFamily(config: ConfigReader): LanguageModelFamily {
  const named = config.raw('architectures');
  const architecture: unknown = Array.isArray(named) ? named[0] : undefined;
  const family = families.find((f) => f.architectures.some((known) => known === architecture));
  if (family !== undefined) return family;
  const known = families.flatMap((f) => f.architectures).join(', ');
  throw config.error('architectures', `${JSON.stringify(architecture ?? null)} is not supported (known: ${known})`);
}

const maxGenerationConfigBytes = 1024 * 1024;

/** generation_config.json's end tokens go before config.json's, as in transformers. */
function readEndTokens(folder: string, config: ConfigReader, vocab: number): ReadonlySet<number> {
  const generation = readModelJson(folder, 'generation_config.json', maxGenerationConfigBytes) ?? {};
  const value = generation['eos_token_id'] ?? config.raw('eos_token_id') ?? [];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  for (const id of ids) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= vocab) {
      throw config.error('eos_token_id', `must be token ids below the vocabulary size ${vocab}`);
    }
  }
  return new Set(ids as number[]);
}
