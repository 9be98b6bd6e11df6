import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import type { Pooling } from './text-encoder.js';

/** What a sentence-transformers folder says about the way from token states to an embedding. */
export interface SentenceTransformersHead {
  /** Undefined when the folder says nothing. */
  readonly pooling: Pooling | undefined;
  /** Embeddings are divided by their length. */
  readonly normalised: boolean;
  /** Longest input in tokens, special tokens included; undefined when the folder says nothing. */
  readonly maxTokens: number | undefined;
  /** Paths of the files that say so: two folders that differ here give other embeddings. */
  readonly files: readonly string[];
}

const maxBytes = 1024 * 1024;

/** The ways to pool by their names in 1_Pooling/config.json, where `pooling_mode_` stands in front. */
const poolings: Readonly<Record<string, Pooling>> = {
  cls_token: 'cls',
  mean_tokens: 'mean',
  max_tokens: 'max',
  mean_sqrt_len_tokens: 'mean_sqrt_len',
};

/** The same in the shorter form `"pooling_mode": "mean"`. */
const shortPoolings: Readonly<Record<string, Pooling>> = {
  cls: 'cls',
  mean: 'mean',
  max: 'max',
  mean_sqrt_len_tokens: 'mean_sqrt_len',
};

/**
 * Reads modules.json, the pooling's config.json and sentence_bert_config.json of a folder; any of them may be missing.
 * FAILED_PRECONDITION: a module or a pooling that is not supported; DATA_LOSS: a file that is damaged.
 */
export function readSentenceTransformersHead(folder: string): SentenceTransformersHead {
  const reader = new JsonFiles(folder);
  const maxTokens = readMaxTokens(reader);
  const modules = reader.read('modules.json');
  if (modules === undefined) return { pooling: undefined, normalised: false, maxTokens, files: reader.files };
  if (!Array.isArray(modules)) throw damaged('modules.json', 'must be a list');
  let pooling: Pooling | undefined;
  let normalised = false;
  for (const [i, module] of (modules as unknown[]).entries()) {
    const { type, path } = record('modules.json', module);
    const kind = typeof type === 'string' ? type.split('.').at(-1) : undefined;
    if (i === 0 && kind === 'Transformer' && path === '') continue;
    if (i > 0 && kind === 'Pooling' && pooling === undefined && !normalised) pooling = readPooling(reader, path);
    else if (i > 0 && kind === 'Normalize') normalised = true;
    else {
      const known = 'known: a Transformer in the folder itself, then Pooling, then Normalize';
      throw unsupported(
        'modules.json',
        `module ${i}, ${JSON.stringify(type ?? null).slice(0, 120)}, is not supported (${known})`,
      );
    }
  }
  return { pooling, normalised, maxTokens, files: reader.files };
}

function readMaxTokens(reader: JsonFiles): number | undefined {
  const name = 'sentence_bert_config.json';
  const content = reader.read(name);
  if (content === undefined) return undefined;
  const value = record(name, content)['max_seq_length'];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
    throw damaged(name, 'max_seq_length must be a positive integer');
  }
  return value;
}

function readPooling(reader: JsonFiles, path: unknown): Pooling {
  if (typeof path !== 'string' || !/^\w[\w.-]*$/.test(path)) {
    throw damaged('modules.json', 'the path of a module must be a plain folder name');
  }
  const name = `${path}/config.json`;
  const content = reader.read(name);
  if (content === undefined)
    throw new A2sfError('NOT_FOUND', `${name}: is missing, though modules.json names it`, { field: name });
  const fields = record(name, content);
  const short = fields['pooling_mode'];
  const chosen =
    typeof short === 'string'
      ? [[short, shortPoolings] as const]
      : Object.entries(fields)
          .filter(([key, value]) => key.startsWith('pooling_mode_') && value === true)
          .map(([key]) => [key.slice('pooling_mode_'.length), poolings] as const);
  const [mode, table] = chosen[0] ?? ['none', poolings];
  if (chosen.length === 1 && Object.hasOwn(table, mode)) return table[mode]!;
  const told = chosen.map(([each]) => each).join(', ') || 'none';
  throw unsupported(
    name,
    `the pooling ${told.slice(0, 120)} is not supported (known: one of ${Object.keys(table).join(', ')})`,
  );
}

/** The JSON files of a folder, each at most 1 MiB, remembering those that were there. */
class JsonFiles {
  readonly files: string[] = [];

  constructor(private readonly folder: string) {}

  /** The content of a file; undefined when there is none. */
  read(name: string): unknown {
    const path = join(this.folder, name);
    if (!existsSync(path)) return undefined;
    const { size } = statSync(path);
    if (size > maxBytes) throw damaged(name, `${size} bytes are over the limit of ${maxBytes}`);
    this.files.push(path);
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch (cause) {
      throw damaged(name, 'is not valid JSON', cause);
    }
  }
}

function record(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw damaged(name, 'must hold JSON objects');
  return value as Readonly<Record<string, unknown>>;
}

function damaged(name: string, problem: string, cause?: unknown): A2sfError {
  return new A2sfError('DATA_LOSS', `${name}: ${problem}`, { field: name, reason: 'bad-model-config', cause });
}

function unsupported(name: string, problem: string): A2sfError {
  return new A2sfError('FAILED_PRECONDITION', `${name}: ${problem}`, { field: name, reason: 'bad-model-config' });
}
