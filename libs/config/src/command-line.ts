import { Command, Option as CommandOption } from 'commander';
import type { Option, Options } from './option.js';
import { boolean } from './schemas.js';
import { envOf, keysByFlag, nearest } from './spelling.js';

/** Name and one-line description of a command, for `--help`. */
export interface CommandDescription {
  readonly name: string;
  readonly description: string;
  /** What stands behind the flags in `--help`: examples, remarks. */
  readonly epilogue?: string;
  /** A dry run is the caller's to answer, by `Resolution.dryRun`: it takes values from elsewhere too. */
  readonly ownDryRun?: boolean;
}

const dryRuns = ['table', 'json'] as const;
/** How a dry run is printed. */
export type DryRun = (typeof dryRuns)[number];

/** What a command line says. */
export interface CommandLine {
  /** Raw values by option key. */
  readonly given: ReadonlyMap<string, unknown>;
  readonly help: boolean;
  /** Set when nothing is to be done but to print the options. */
  readonly dryRun: DryRun | undefined;
  readonly configFile: string | undefined;
  /** Everything wrong with its shape, one line each. */
  readonly violations: readonly string[];
}

const configFlag = 'config';
const dryRunFlag = 'dry_run';

function isBoolean(option: Option): boolean {
  return option.boolean ?? option.schema === boolean;
}

function shownDefault(value: unknown): string {
  return Array.isArray(value) ? value.join(' ') : typeof value === 'string' ? value : JSON.stringify(value);
}

/** The commander command behind parsing and `--help`; its attribute names are the flags in snake_case. */
function build(command: CommandDescription, options: Options): Command {
  const built = new Command(command.name)
    .description(command.description)
    .usage('[flags]')
    .helpOption(false)
    .configureHelp({ helpWidth: 110 });
  for (const [flag, key] of keysByFlag(options)) {
    const option = options[key]!;
    const shape = isBoolean(option) ? ' [boolean]' : option.list === true ? ' <values...>' : ' <value>';
    const entry = new CommandOption(`--${flag}${shape}`, option.description)
      .helpGroup(`${option.group ?? 'Options'}:`)
      .env(envOf(key, option));
    const shown = option.default === undefined ? '' : shownDefault(option.default);
    if (shown !== '') entry.default(option.default, shown);
    built.addOption(entry);
    if (isBoolean(option)) built.addOption(new CommandOption(`--no-${flag}`).hideHelp());
  }
  built.addOption(
    new CommandOption(`--${configFlag} <file>`, 'file of options, YAML (.yaml, .yml) or JSON, keys in snake_case')
      .helpGroup('General:')
      .env('A2SF_CONFIG'),
  );
  built.addOption(
    new CommandOption(
      `--${dryRunFlag}`,
      `print every option with its value and where that came from, and do nothing; --${dryRunFlag}=json: as JSON`,
    ).helpGroup('General:'),
  );
  built.addOption(new CommandOption('--help', 'show this text').helpGroup('General:'));
  if (command.epilogue !== undefined) built.addHelpText('after', `\n${command.epilogue}`);
  return built;
}

/** The text of `--help`: options by group, each with its default and its environment variable. */
export function helpText(command: CommandDescription, options: Options): string {
  let text = '';
  build(command, options)
    .configureOutput({ writeOut: (part) => (text += part) })
    .outputHelp();
  return text;
}

/**
 * Reads flags; nothing is checked yet beyond their shape. Spellings are brought to commander's first (kebab-case to
 * snake_case), and what it would stop at (unknown flag, missing value) is collected instead, so that all of it is told.
 */
export function readCommandLine(command: CommandDescription, options: Options, argv: readonly string[]): CommandLine {
  const keys = keysByFlag(options);
  const violations: string[] = [];
  const accepted: string[] = [];
  let help = false;
  let dryRun: DryRun | undefined;
  const takesValue = (flag: string): boolean =>
    flag === configFlag || (keys.has(flag) && !isBoolean(options[keys.get(flag)!]!));
  for (let i = 0; i < argv.length; i++) {
    const token = argv[i]!;
    if (token === '-h' || token === '--help') {
      help = true;
      continue;
    }
    const match = /^--?([A-Za-z][\w-]*)(=[\s\S]*)?$/.exec(token);
    if (match === null) {
      accepted.push(token);
      continue;
    }
    const flag = match[1]!.replaceAll('-', '_');
    const value = match[2] ?? '';
    const positive = flag.replace(/^no_/, '');
    if (token.startsWith('--') && flag === dryRunFlag) {
      const form = value === '' ? 'table' : dryRuns.find((known) => value === `=${known}`);
      if (form === undefined) violations.push(`--${dryRunFlag}: must be alone or one of ${dryRuns.join(', ')}`);
      else dryRun = form;
      continue;
    }
    if (token.startsWith('--') && (keys.has(flag) || flag === configFlag)) {
      const next = argv[i + 1];
      if (takesValue(flag) && value === '' && (next === undefined || next.startsWith('--'))) {
        violations.push(`--${flag}: a value is missing`);
      } else {
        accepted.push(`--${flag}${value}`);
        // The value is passed on as it is: a value such as -1 is no flag.
        if (takesValue(flag) && value === '') accepted.push(argv[++i]!);
      }
    } else if (token.startsWith('--') && flag !== positive && keys.has(positive) && !takesValue(positive)) {
      accepted.push(`--no-${positive}`);
    } else {
      const meant = nearest(flag, [...keys.keys(), configFlag, dryRunFlag, 'help']);
      violations.push(`${token.split('=')[0]}: unknown flag${meant === undefined ? '' : `, did you mean --${meant}?`}`);
      // What follows an unknown flag is taken for its value, so that one slip is told once.
      if (value === '') while (argv[i + 1]?.startsWith('-') === false) i++;
    }
  }
  const built = build(command, options);
  const { operands, unknown } = built.parseOptions(accepted);
  for (const stray of [...operands, ...unknown].filter((token) => token !== '--')) {
    violations.push(`${JSON.stringify(stray)}: not expected here, every option is given as --name value`);
  }
  const given = new Map<string, unknown>();
  for (const [flag, key] of keys) {
    const attribute = new CommandOption(`--${flag}`).attributeName();
    if (built.getOptionValueSource(attribute) === 'cli') given.set(key, built.getOptionValue(attribute));
  }
  return { given, help, dryRun, configFile: built.getOptionValue(configFlag) as string | undefined, violations };
}
