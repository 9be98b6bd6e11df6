import { A2sfError } from '@a2sf/errors';
import { ConfigReader } from './config-reader.js';
import { readModelJson } from './model-json.js';

const maxBytes = 1024 * 1024;

/**
 * The `config.json` of a model folder, at most 1 MiB. Throws NOT_FOUND when it is not there, FAILED_PRECONDITION when it
 * cannot be read, DATA_LOSS when it is not a JSON object or too large.
 */
export function readModelConfig(folder: string): ConfigReader {
  const values = readModelJson(folder, 'config.json', maxBytes);
  if (values !== undefined) return new ConfigReader(values);
  throw new A2sfError('NOT_FOUND', 'config.json: the model folder has none', { field: 'config.json' });
}
