import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import type { Action } from '@a2sf/kv-compression';
import { Fields } from './fields.js';
import { jsonLines } from './json-lines.js';
import type {
  BaselineRecord,
  EvaluationRecord,
  Interval,
  IterationRecord,
  QualityRecord,
  QualityRow,
  RewardRecord,
  RunRecord,
  TextRecord,
} from './run-record.js';

/** Name of the log of texts that the trainer writes at the end of a run. */
export const textsFile = 'evaluation_texts.jsonl';

/** What `a2sf evaluate` found out about checkpoints of the run. */
export const qualityFile = 'quality/results.jsonl';

/**
 * Reads a run folder and changes nothing in it. Logs that are not there are empty: a run may have no evaluation, or have
 * just begun. Throws NOT_FOUND when there is no folder or no config.json in it, DATA_LOSS naming file, line and field of
 * what is damaged.
 */
export async function readRun(folder: string): Promise<RunRecord> {
  const name = basename(resolve(folder));
  const kind = await stat(folder).catch(() => undefined);
  if (kind?.isDirectory() !== true) throw new A2sfError('NOT_FOUND', `${name}: there is no such folder`);
  const config = await readConfig(folder, name);
  return {
    name,
    config,
    progress: await records(folder, 'progress.jsonl', iterationRecord),
    evaluations: await records(folder, 'evaluation.jsonl', evaluationRecord),
    rewards: await records(folder, 'evaluation_rewards.jsonl', rewardRecord),
    texts: await records(folder, textsFile, textRecord),
    quality: await records(folder, qualityFile, qualityRecord),
  };
}

async function readConfig(folder: string, name: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(join(folder, 'config.json'), 'utf8').catch((cause: unknown) => {
    throw new A2sfError('NOT_FOUND', `${name}: holds no run: its config.json cannot be read`, { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new A2sfError('DATA_LOSS', 'config.json: is no JSON', { cause });
  }
  const fields = new Fields(value, 'config.json');
  for (const name of ['options', 'option_sources']) if (fields.has(name)) fields.object(name);
  return value as Readonly<Record<string, unknown>>;
}

async function records<T>(folder: string, name: string, read: (fields: Fields, where: string) => T): Promise<T[]> {
  const all: T[] = [];
  for await (const { value, where } of jsonLines(join(folder, name))) all.push(read(new Fields(value, where), where));
  return all;
}

function iterationRecord(fields: Fields): IterationRecord {
  const seconds = fields.has('seconds') ? fields.object('seconds') : undefined;
  return {
    iteration: fields.count('iteration'),
    reward: fields.number('avg_reward'),
    loss: fields.optionalNumber('prediction_loss'),
    actionsA: fields.numbers('actions_a'),
    actionsB: fields.numbers('actions_b'),
    actionsBudget: fields.has('actions_budget') ? fields.numbers('actions_budget') : undefined,
    seconds: new Map((seconds?.names() ?? []).map((stage) => [stage, seconds!.number(stage)])),
  };
}

function evaluationRecord(fields: Fields, where: string): EvaluationRecord {
  const baselines = fields.object('baselines');
  const differences = fields.has('differences') ? fields.object('differences') : undefined;
  const record = {
    iteration: fields.count('iteration'),
    policy: {
      mean: fields.number('eval_avg_reward'),
      low: fields.number('eval_low'),
      high: fields.number('eval_high'),
    },
    rewards: fields.numbers('eval_rewards'),
    actionsA: fields.numbers('eval_actions_a'),
    actionsB: fields.numbers('eval_actions_b'),
    actionsBudget: fields.has('eval_actions_budget') ? fields.numbers('eval_actions_budget') : undefined,
    predicted: fields.has('eval_predicted') ? fields.numbers('eval_predicted') : undefined,
    baselines: new Map(baselines.names().map((name) => [name, baselineRecord(baselines.object(name))])),
    differences: new Map((differences?.names() ?? []).map((name) => [name, intervalRecord(differences!.object(name))])),
    keptAll: fields.count('kept_all'),
  };
  const { rewards, actionsA, actionsB, actionsBudget = rewards, predicted = rewards } = record;
  if ([actionsA, actionsB, actionsBudget, predicted].some((list) => list.length !== rewards.length)) {
    throw new A2sfError('DATA_LOSS', `${where}: its lists of prompts are not of one length`);
  }
  return record;
}

function baselineRecord(fields: Fields): BaselineRecord {
  const fixed = fields.has('a') && fields.has('b');
  return { ...intervalRecord(fields), action: fixed ? actionRecord(fields) : undefined };
}

function actionRecord(fields: Fields): Action {
  const shape = { a: fields.number('a'), b: fields.number('b') };
  return fields.has('budget') ? { ...shape, budget: fields.number('budget') } : shape;
}

function intervalRecord(fields: Fields): Interval {
  return { mean: fields.number('mean'), low: fields.number('low'), high: fields.number('high') };
}

function rewardRecord(fields: Fields): RewardRecord {
  return {
    key: fields.text('key'),
    id: fields.text('id'),
    hash: fields.text('hash'),
    index: fields.has('index') ? fields.count('index') : undefined,
    dataset: fields.has('dataset') ? fields.text('dataset') : undefined,
    promptTokens: fields.count('prompt_tokens'),
    keptAll: fields.flag('kept_all'),
    full: fields.number('full'),
    rewards: fields.numbers('rewards'),
  };
}

function textRecord(fields: Fields): TextRecord {
  return {
    key: fields.text('key'),
    hash: fields.text('hash'),
    ...actionRecord(fields),
    prompt: fields.text('prompt'),
    full: fields.text('full'),
    compressed: fields.text('compressed'),
  };
}

function qualityRecord(fields: Fields): QualityRecord {
  const datasets = fields.object('datasets');
  const policy = fields.number('eval_avg_reward');
  return {
    runId: fields.text('run_id'),
    checkpoint: fields.text('checkpoint'),
    metric: fields.text('metric'),
    budget: fields.count('budget'),
    all: qualityRow(fields.numbers('eval_rewards').length, policy, fields),
    datasets: new Map(
      datasets.names().map((name) => {
        const own = datasets.object(name);
        return [name, qualityRow(own.count('prompts'), own.number('mean'), own)];
      }),
    ),
  };
}

function qualityRow(prompts: number, policy: number, fields: Fields): QualityRow {
  const baselines = fields.object('baselines');
  const others = baselines.names().map((name): [string, number] => [name, baselines.object(name).number('mean')]);
  return { prompts, scores: new Map([['policy', policy], ...others]) };
}
