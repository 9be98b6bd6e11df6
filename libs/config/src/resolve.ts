import { A2sfError } from '@a2sf/errors';
import type { z } from 'zod';
import { type CommandDescription, type DryRun, helpText, readCommandLine } from './command-line.js';
import { readConfigFile } from './config-file.js';
import { dryRunText } from './describe.js';
import type { Option, Options, Resolved } from './option.js';
import { envOf, flagOf } from './spelling.js';

/** Where a value came from; `run`: the record of a run that is gone on with, of which only its command knows. */
export type Source = 'flag' | 'environment' | 'file' | 'default' | 'run';

/** The values of a command's options and where each came from (an optional one that nobody gave: `default`). */
export interface Resolution<O extends Options> {
  readonly values: Resolved<O>;
  readonly sources: Readonly<Record<keyof O, Source>>;
  /** The file that `--config` or A2SF_CONFIG names. */
  readonly configFile?: string;
  /** Set where a command answers a dry run itself ({@link CommandDescription.ownDryRun}): it prints {@link dryRunText}. */
  readonly dryRun?: DryRun;
}

/** Problems of usage, one line each, as one error: INVALID_ARGUMENT, reason `usage`. */
export function usageError(violations: readonly string[]): A2sfError {
  return new A2sfError('INVALID_ARGUMENT', violations.join('\n'), { reason: 'usage' });
}

/** A list in an environment variable: a JSON array, or values separated by blanks or commas. */
function listFromEnvironment(value: string): unknown {
  if (value.trimStart().startsWith('[')) {
    try {
      return JSON.parse(value) as unknown;
    } catch {
      return value;
    }
  }
  return value.split(/[\s,]+/).filter((part) => part !== '');
}

interface Given {
  readonly source: Source;
  /** How an error names the value: `--port`, `A2SF_PORT`, `service.json: port`. */
  readonly label: string;
  readonly raw: unknown;
}

function path(issue: z.core.$ZodIssue): string {
  return issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
}

/**
 * The values of a command's options: flags > environment > file (`--config FILE` or A2SF_CONFIG) > default. An empty
 * environment variable counts as not set. `--help` prints the help and ends the process with 0; so does `--dry_run` with
 * the values, once they are without violation.
 *
 * @throws A2sfError INVALID_ARGUMENT, reason `usage`: every violation at once, one line each, with the flag, variable or
 * key that carries it and the limit.
 */
export function resolveOptions<O extends Options>(
  command: CommandDescription,
  options: O,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Resolution<O> {
  const line = readCommandLine(command, options, argv);
  if (line.help) {
    process.stdout.write(helpText(command, options));
    process.exit(0);
  }
  const violations = [...line.violations];
  const file = line.configFile ?? (env['A2SF_CONFIG'] === '' ? undefined : env['A2SF_CONFIG']);
  const fromFile = file === undefined ? undefined : readConfigFile(file, options);
  violations.push(...(fromFile?.violations ?? []));

  const find = (key: string, option: Option): Given | undefined => {
    const flag = flagOf(key, option);
    if (line.given.has(key)) return { source: 'flag', label: `--${flag}`, raw: line.given.get(key) };
    const variable = envOf(key, option);
    const text = env[variable];
    if (text !== undefined && text !== '') {
      const raw = option.list === true ? listFromEnvironment(text) : text;
      return { source: 'environment', label: variable, raw };
    }
    if (fromFile?.given.has(key) === true) {
      return { source: 'file', label: `${file}: ${flag}`, raw: fromFile.given.get(key) };
    }
    return undefined;
  };

  const values: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const [key, option] of Object.entries(options)) {
    const given = find(key, option);
    sources[key] = given?.source ?? 'default';
    values[key] = option.default;
    if (given === undefined) continue;
    const parsed = option.schema.safeParse(given.raw);
    if (parsed.success) values[key] = parsed.data;
    else violations.push(...parsed.error.issues.map((issue) => `${given.label}${path(issue)}: ${issue.message}`));
  }
  if (violations.length > 0) throw usageError(violations);
  const resolution: Resolution<O> = {
    values: Object.freeze(values) as Resolved<O>,
    sources: Object.freeze(sources) as Record<keyof O, Source>,
    ...(file === undefined ? {} : { configFile: file }),
    ...(line.dryRun === undefined ? {} : { dryRun: line.dryRun }),
  };
  if (line.dryRun !== undefined && command.ownDryRun !== true) {
    process.stdout.write(dryRunText(options, resolution, line.dryRun));
    process.exit(0);
  }
  return resolution;
}
