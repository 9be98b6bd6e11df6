import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import type { ConfigReader } from './config-reader.js';

/** The ONNX export that a sentence-transformers folder ships. */
export interface OnnxExport {
  /** Path of the model, to be opened as a file: its external data lies beside it. */
  readonly path: string;
  /** The model and what lies beside it, other models left out: what its identity is made of. */
  readonly files: readonly string[];
  /** Longest input in tokens, special tokens included. */
  readonly maxTokens: number;
  readonly vocab: number;
}

/** Models whose positions begin behind the padding token's id. */
const shiftedPositions = new Set(['roberta', 'xlm-roberta', 'camembert', 'mpnet']);

/** Whether a folder ships an ONNX export. */
export function hasOnnxExport(folder: string): boolean {
  return existsSync(exportPath(folder));
}

/**
 * The ONNX export of a folder. onnxruntime refuses external data outside of the export's folder by `..`, by an absolute
 * path and by a symbolic link, but not by a hard link; a file there with a second name is FAILED_PRECONDITION.
 */
export function openOnnxExport(folder: string, config: ConfigReader): OnnxExport {
  const path = exportPath(folder);
  const beside = readdirSync(dirname(path), { recursive: true, encoding: 'utf8' })
    .map((name) => join(dirname(path), name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
  for (const file of beside) {
    if (statSync(realpathSync(file)).nlink > 1) {
      const name = file.slice(folder.length + 1);
      const message = `${name}: has a second name elsewhere (a hard link); an ONNX export must own its files: copy it`;
      throw new A2sfError('FAILED_PRECONDITION', message, { field: 'model_name', reason: 'hard-link' });
    }
  }
  return {
    path,
    files: beside.filter((file) => file === path || !file.endsWith('.onnx')),
    maxTokens: readMaxTokens(config),
    vocab: config.size('vocab_size'),
  };
}

function exportPath(folder: string): string {
  return join(folder, 'onnx', 'model.onnx');
}

function readMaxTokens(config: ConfigReader): number {
  const positions = config.size('max_position_embeddings');
  if (!shiftedPositions.has(String(config.raw('model_type')))) return positions;
  const maxTokens = positions - config.size('pad_token_id', 1) - 1;
  if (maxTokens < 1) throw config.error('max_position_embeddings', 'must be above pad_token_id + 1');
  return maxTokens;
}
