import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import type { Options } from './option.js';
import { keysByFlag, nearest } from './spelling.js';
import { parseYaml } from './yaml-object.js';

const maxBytes = 1 << 20;

/** What a configuration file says. */
export interface ConfigFile {
  /** Raw values by option key. */
  readonly given: ReadonlyMap<string, unknown>;
  readonly violations: readonly string[];
}

function read(path: string): string {
  const file = openSync(path, 'r');
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new Error('not a regular file');
    if (stat.size > maxBytes) throw new Error(`${stat.size} bytes, the limit is ${maxBytes}`);
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

/**
 * Reads one object whose keys are flags in snake_case, of YAML where the file is named `.yaml` or `.yml`, else of JSON. An
 * unknown key is a violation, as an unknown flag is.
 */
export function readConfigFile(path: string, options: Options): ConfigFile {
  const given = new Map<string, unknown>();
  const format = /\.ya?ml$/i.test(path) ? 'YAML' : 'JSON';
  let parsed: unknown;
  try {
    const content = read(path);
    parsed = format === 'YAML' ? parseYaml(content) : JSON.parse(content);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { given, violations: [`--config ${path}: cannot be read as ${format}: ${problem}`] };
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return { given, violations: [`--config ${path}: must hold one ${format} object`] };
  }
  const keys = keysByFlag(options);
  const violations: string[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    const key = keys.get(name);
    if (key !== undefined) {
      given.set(key, value);
      continue;
    }
    const meant = nearest(name, keys.keys());
    violations.push(`--config ${path}: unknown key ${name}${meant === undefined ? '' : `, did you mean ${meant}?`}`);
  }
  return { given, violations };
}
