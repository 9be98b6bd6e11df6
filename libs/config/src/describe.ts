import type { DryRun } from './command-line.js';
import type { Options } from './option.js';
import type { Resolution, Source } from './resolve.js';
import { envOf, flagOf } from './spelling.js';

/** One resolved option, for logs and dry runs. */
export interface ResolvedOption {
  /** The flag's name, snake_case. */
  readonly name: string;
  /** The value; null when it is not set. */
  readonly value: unknown;
  readonly source: Source;
  /** The variable or file that gave it. */
  readonly from?: string;
}

/** The resolved options in the order they were declared. */
export function describeResolution<O extends Options>(options: O, resolution: Resolution<O>): ResolvedOption[] {
  return Object.entries(options).map(([key, option]) => {
    const source = resolution.sources[key]!;
    const places: Partial<Record<Source, string | undefined>> = {
      environment: envOf(key, option),
      file: resolution.configFile,
    };
    const from = places[source];
    return {
      name: flagOf(key, option),
      value: (resolution.values as Readonly<Record<string, unknown>>)[key] ?? null,
      source,
      ...(from === undefined ? {} : { from }),
    };
  });
}

/** The same as aligned lines: name, value as JSON (`-`: not set), source. */
export function resolutionLines<O extends Options>(options: O, resolution: Resolution<O>): string[] {
  const entries = describeResolution(options, resolution);
  const rows = entries.map(({ name, value, source, from }) => {
    return [
      name,
      value === null ? '-' : JSON.stringify(value),
      from === undefined ? source : `${source} ${from}`,
    ] as const;
  });
  const width = (column: 0 | 1): number => Math.max(0, ...rows.map((row) => row[column].length));
  const [names, values] = [width(0), width(1)];
  return rows.map(([name, value, source]) => `${name.padEnd(names)}  ${value.padEnd(values)}  ${source}`);
}

/** What `--dry_run` prints: the lines, or one JSON object by option, each `{ value, source, from? }`. */
export function dryRunText<O extends Options>(options: O, resolution: Resolution<O>, form: DryRun): string {
  if (form === 'table')
    return resolutionLines(options, resolution)
      .map((line) => `${line}\n`)
      .join('');
  const entries = describeResolution(options, resolution).map(({ name, ...rest }) => [name, rest] as const);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
