import type { Options } from './option.js';
import type { Resolution, Source } from './resolve.js';
import { flagOf } from './spelling.js';

/** One resolved option, for logs and dry runs. */
export interface ResolvedOption {
  /** The flag's name, snake_case. */
  readonly name: string;
  /** The value; null when it is not set. */
  readonly value: unknown;
  readonly source: Source;
}

/** The resolved options in the order they were declared. */
export function describeResolution<O extends Options>(options: O, resolution: Resolution<O>): ResolvedOption[] {
  return Object.entries(options).map(([key, option]) => ({
    name: flagOf(key, option),
    value: (resolution.values as Readonly<Record<string, unknown>>)[key] ?? null,
    source: resolution.sources[key]!,
  }));
}

/** The same as aligned lines: name, value as JSON, source. */
export function resolutionLines<O extends Options>(options: O, resolution: Resolution<O>): string[] {
  const entries = describeResolution(options, resolution);
  const rows = entries.map(({ name, value, source }) => [name, JSON.stringify(value), source] as const);
  const width = (column: 0 | 1): number => Math.max(0, ...rows.map((row) => row[column].length));
  const [names, values] = [width(0), width(1)];
  return rows.map(([name, value, source]) => `${name.padEnd(names)}  ${value.padEnd(values)}  ${source}`);
}
