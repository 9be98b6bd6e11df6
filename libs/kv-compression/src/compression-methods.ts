import { A2sfError } from '@a2sf/errors';
import type { CompressionMethod } from './compression-method.js';
import { a2sf } from './methods/a2sf.js';
import { full } from './methods/full.js';
import { h2o } from './methods/h2o.js';
import { random } from './methods/random.js';
import { sigmoid } from './methods/sigmoid.js';
import { snapkv } from './methods/snapkv.js';
import { streamingLlm } from './methods/streaming-llm.js';
import { tova } from './methods/tova.js';

/** Every method that a request may name; a new one is a file in methods/ and an entry here. */
const methods: readonly CompressionMethod[] = [sigmoid, full, random, streamingLlm, h2o, snapkv, tova, a2sf];

const byName: ReadonlyMap<string, CompressionMethod> = new Map(methods.map((method) => [method.name, method]));

/** The names, the default one first. */
export const compressionMethodNames: readonly string[] = methods.map(({ name }) => name);

/** The method of a name; '_' is read as '-', and the empty name is `sigmoid`. Throws INVALID_ARGUMENT naming `field`. */
export function compressionMethod(name: string, field = 'method'): CompressionMethod {
  const method = byName.get(name.replaceAll('_', '-') || sigmoid.name);
  if (method === undefined) {
    throw A2sfError.invalid(
      field,
      `must be one of ${compressionMethodNames.join(', ')}, got ${JSON.stringify(name.slice(0, 40))}`,
    );
  }
  return method;
}
