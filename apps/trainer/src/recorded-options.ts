import { describeResolution, flagOf, type Options, type Resolution } from '@a2sf/config';
import { promptTokensOf } from '@a2sf/datasets';
import { A2sfError } from '@a2sf/errors';
import type { RunIdentities } from '@a2sf/training';

/** Flags that belong to a process and not to its run. */
const ofTheProcess: ReadonlySet<string> = new Set([
  'resume',
  'overwrite',
  'saveDir',
  'host',
  'httpPort',
  'logLevel',
  'tlsCert',
  'tlsKey',
  'tlsCa',
  'tlsReloadSeconds',
  'tlsServerName',
  'tokenFile',
  'waitSeconds',
]);

/** The options of a run as its config.json holds them: by flag, null when not set. */
export function recordOptions<O extends Options>(options: O, values: Resolution<O>['values']): Record<string, unknown> {
  const given = values as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(options)
      .filter(([key]) => !ofTheProcess.has(key))
      .map(([key, option]) => [flagOf(key, option), given[key] ?? null]),
  );
}

/**
 * Where each option that config.json records came from, by flag: `flag`, `environment A2SF_LR`, `file run.yaml`,
 * `preset llama2` (of the model), `store rows`, `default`. A resumed run keeps what its record says of the values that it
 * takes from there; `run` stands where the record does not say.
 */
export function recordSources<O extends Options>(
  options: O,
  resolution: Resolution<O>,
  resumed?: unknown,
): Record<string, string> {
  const before = earlierSources(resumed);
  const values = resolution.values as Readonly<Record<string, unknown>>;
  const told = new Map(describeResolution(options, resolution).map((entry) => [entry.name, entry]));
  const sourceOf = (key: string, flag: string): string => {
    const { source, from } = told.get(flag)!;
    if (source === 'default' || source === 'run') {
      const earlier = before.get(flag);
      if (earlier !== undefined) return earlier;
      const { fromStore, modelName } = values;
      if (typeof fromStore === 'string' && storeDecides.has(key)) return `store ${fromStore}`;
      const preset = key === 'maxPromptTokens' && values[key] === undefined && typeof modelName === 'string';
      if (preset && promptTokensOf(modelName) !== undefined) return `preset ${modelName}`;
    }
    return from === undefined ? source : `${source} ${from}`;
  };
  return Object.fromEntries(
    Object.entries(options)
      .filter(([key]) => !ofTheProcess.has(key))
      .map(([key, option]) => [flagOf(key, option), sourceOf(key, flagOf(key, option))]),
  );
}

/** What a run from a store takes from there. */
const storeDecides: ReadonlySet<string> = new Set([
  'budget',
  'recent',
  'maxNewTokens',
  'maxPromptTokens',
  'aValues',
  'bValues',
]);

function earlierSources(config: unknown): Map<string, string> {
  const recorded = config === undefined ? undefined : recordOf(config)['option_sources'];
  if (recorded === undefined) return new Map();
  const entries = Object.entries(recordOf(recorded));
  return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/**
 * The options of a resumed run: what is given now, and for the rest what the run was begun with, as `config` of the file
 * `source` records it. Throws DATA_LOSS naming the file and the key that holds no valid value.
 */
export function resumeOptions<O extends Options>(
  options: O,
  { values, sources }: Resolution<O>,
  config: unknown,
  source = 'config.json',
): Resolution<O>['values'] {
  const recorded = recordOf(recordOf(config)['options']);
  const merged: Record<string, unknown> = { ...values };
  for (const [key, option] of Object.entries(options)) {
    const flag = flagOf(key, option);
    if (sources[key] !== 'default' || ofTheProcess.has(key) || !Object.hasOwn(recorded, flag)) continue;
    if (recorded[flag] === null) {
      merged[key] = undefined;
      continue;
    }
    const parsed = option.schema.safeParse(recorded[flag]);
    if (!parsed.success) {
      const problem = parsed.error.issues[0]?.message ?? 'is not valid';
      throw new A2sfError('DATA_LOSS', `${source}: options.${flag}: ${problem}`, { field: 'resume' });
    }
    merged[key] = parsed.data;
  }
  return merged as Resolution<O>['values'];
}

/** Who took part in a run, by its config.json. */
export function recordedIdentities(config: unknown): RunIdentities {
  const recorded = recordOf(config);
  const text = (key: string) => (typeof recorded[key] === 'string' ? recorded[key] : '');
  return {
    modelId: text('model_id'),
    encoderId: text('encoder_id'),
    trainHash: text('train_hash'),
    evaluationHash: text('evaluation_hash'),
  };
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new A2sfError('DATA_LOSS', 'config.json: is not the description of a run', { field: 'resume' });
}
