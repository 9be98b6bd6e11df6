import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { restoreAgent, type Agent } from '@a2sf/bandit';
import { usageError, type Resolution } from '@a2sf/config';
import { findDataset, promptTokensOf } from '@a2sf/datasets';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import { writeReport } from '@a2sf/report';
import { JsonlLog, RunLock, type PolicyCheckpoint } from '@a2sf/run-store';
import { dataPath, resumeOptions } from '@a2sf/trainer-app';
import {
  Evaluation,
  everyIndex,
  findResumePoint,
  LivePrompts,
  PromptMemory,
  readPrompts,
  RewardRule,
  type EvaluationLine,
  type Peers,
  type PolicyPeer,
  type Prompt,
  type RewardLine,
  type RewardLines,
} from '@a2sf/training';
import { printJson } from './clients/client-options.js';
import { progressLine, stoppable, withPeers } from './dataset-run.js';
import { servicesOf, type Services } from './dataset-services.js';
import type { options as evaluateOptions } from './evaluate.js';
import { budgetTable, qualityTable } from './quality-table.js';
import { readCheckpoint } from './read-checkpoint.js';
import { serviceIdentities } from './service-identities.js';

type EvaluateOptions = typeof evaluateOptions;
type Values = Resolution<EvaluateOptions>['values'];

/** Folder in that of a run, for what evaluations of its checkpoints found. */
export const qualityFolder = 'quality';

/** A policy and where it comes from. */
interface Subject {
  readonly checkpoint: PolicyCheckpoint;
  readonly name: string;
  /** The run that it is of; undefined for a checkpoint without its run. */
  readonly run?: { readonly folder: string; readonly config: Readonly<Record<string, unknown>> };
}

/** A line of quality/results.jsonl. */
interface QualityLine extends EvaluationLine {
  /** Of the run's config.json. */
  readonly run_id: unknown;
  readonly checkpoint: string;
  readonly metric: string;
  readonly budget: number;
}

/**
 * Sweeps the held-out prompts of a policy's run (or those of the flags), scores every text and prints the mean of the full
 * cache, of the policy's greedy choice and of the baselines, by dataset and overall. What the texts earn does not depend on
 * the policy: it is kept in the run's folder, so that an evaluation that was stopped goes on and another checkpoint costs
 * nothing. The run may be going on meanwhile.
 */
export async function evaluateQuality(
  path: string,
  options: EvaluateOptions,
  resolution: Resolution<EvaluateOptions>,
): Promise<void> {
  const subject = await subjectOf(path);
  const values = subject.run === undefined ? resolution.values : valuesOf(options, resolution, subject.run.config);
  const agent = restoreAgent(subject.checkpoint.state, { learns: false });
  const { evaluation: prompts, notes } = await readPrompts({
    path: dataPath(values),
    datasets: values.datasets ?? [],
    evalSamples: values.evalSamples,
    modelName: values.modelName ?? '',
  });
  for (const note of notes) warn(note);
  await stoppable('what was scored is kept in the folder of the run, if there is one', async (signal) => {
    const services = await servicesOf(values, ['generators', 'encoder', 'rewardService'], signal);
    await withPeers(services, async (peers) => {
      const records = await QualityRecords.open(subject.run?.folder);
      try {
        const found = await evaluations({ subject, agent, values, prompts, peers, services, records }, signal);
        await records.add(found);
        if (values.json) return printJson(found);
        print(found, subject, values);
        if (subject.run !== undefined && found.length > 0) {
          const [page] = await writeReport(subject.run.folder);
          process.stdout.write(`\nreport: ${page}\n`);
        }
      } finally {
        await records.close();
      }
    });
  });
}

interface Work {
  readonly subject: Subject;
  readonly agent: Agent;
  readonly values: Values;
  readonly prompts: readonly Prompt[];
  readonly peers: Peers;
  readonly services: Services;
  readonly records: QualityRecords;
}

async function evaluations(work: Work, signal: AbortSignal): Promise<QualityLine[]> {
  const { subject, agent, values, prompts, peers, services, records } = work;
  const { checkpoint, run } = subject;
  const reward = new RewardRule(values.metric);
  await reward.check(peers, prompts, signal).catch((error: unknown) => {
    throw isA2sfError(error) && error.field === 'reward' ? renamed(error, 'metric') : error;
  });
  const { modelId, encoderId } = await serviceIdentities(services, signal);
  if (checkpoint.encoderId !== '' && encoderId !== checkpoint.encoderId) {
    const message = `--context_encoder_model: the policy was made for ${checkpoint.encoderId}, the encoder is ${encoderId}`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'context_encoder_model', reason: 'another-run' });
  }
  const trained = run?.config['model_id'];
  if (typeof trained === 'string' && trained !== modelId)
    warn(`the policy was trained on ${trained}, and is evaluated on ${modelId}`);
  const found: QualityLine[] = [];
  for (const budget of values.budgets ?? [values.budget]) {
    const context = { peers, reward, generation: generationOf(values, prompts, budget), space: agent.space, modelId };
    const live = new LivePrompts(new PromptMemory(prompts), { ...context, streamingLlm: true }, records.rewards);
    const rows = await live.rows(everyIndex(live), signal, progressLine(`budget ${budget}, prompts`));
    const evaluation = new Evaluation(rows, live, agent.space, values.seed);
    const line = await evaluation.run(checkpoint.iteration, greedily(agent), [], signal);
    if (line === undefined) warn(`every prompt fits the budget of ${budget} tokens`);
    else
      found.push({
        run_id: run?.config['run_id'] ?? null,
        checkpoint: subject.name,
        metric: reward.name,
        budget,
        ...line,
      });
  }
  return found;
}

/** Texts against answers are as long as the answers of their dataset need, those against the full cache's as training's. */
function generationOf(values: Values, prompts: readonly Prompt[], budget: number) {
  const lengths = [...new Set(prompts.map(({ dataset }) => dataset))].flatMap((name): [string, number][] => {
    const dataset = findDataset(name);
    return dataset === undefined ? [] : [[name, dataset.maxNewTokens]];
  });
  return {
    budget,
    recent: values.recent,
    maxNewTokens: values.maxNewTokens ?? 16,
    ...(values.maxNewTokens === undefined ? { maxNewTokensOf: Object.fromEntries(lengths) } : {}),
    maxPromptTokens: values.maxPromptTokens ?? promptTokensOf(values.modelName ?? '') ?? 0,
  };
}

/** The policy as it stands, without a service: it only chooses. */
function greedily(agent: Agent): Pick<PolicyPeer, 'selectActions'> {
  return {
    selectActions: (embeddings, { keys = [] }) => {
      const contexts = embeddings.map(({ values }) => Float32Array.from(values));
      const named = embeddings.map((_, i) => (keys[i] === '' ? undefined : keys[i]));
      const choices = agent.select(contexts, 0, { keys: named });
      return Promise.resolve(
        choices.map(({ actionIndex, prediction, uncertainty }) => {
          return { action: agent.space.at(actionIndex), actionIndex, predictedReward: prediction, uncertainty };
        }),
      );
    },
  };
}

/** A checkpoint of a run, the last one of a run folder, or a checkpoint alone. */
async function subjectOf(path: string): Promise<Subject> {
  try {
    const { kind, folder, iteration, checkpoint, config, warnings } = await findResumePoint(path);
    for (const warning of warnings) warn(warning);
    const isFolder = (await stat(path)).isDirectory();
    const name = isFolder ? `policy_${iteration}.safetensors` : basename(path);
    // The record of the reference's runs tells neither data nor metric that mean the same here.
    if (kind === 'reference') return { checkpoint, name };
    return { checkpoint, name, run: { folder, config: config as Readonly<Record<string, unknown>> } };
  } catch (error) {
    const isFile = (await stat(path).catch(() => undefined))?.isFile() === true;
    if (isFile && isA2sfError(error) && error.code === 'NOT_FOUND') {
      const { checkpoint, warnings } = await readCheckpoint(path);
      for (const warning of warnings) warn(warning);
      return { checkpoint, name: basename(path) };
    }
    throw isA2sfError(error) && error.field === 'resume' ? renamed(error, 'checkpoint') : error;
  }
}

/** What the flags say, and for the rest what the run was begun with; a text's length is not training's. */
function valuesOf(
  options: EvaluateOptions,
  resolution: Resolution<EvaluateOptions>,
  config: Readonly<Record<string, unknown>>,
): Values {
  const { max_new_tokens: _, ...recorded } = (config['options'] ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof recorded['from_store'] === 'string' && resolution.sources.data === 'default')
    throw usageError(['--data: name the prompts; the run was trained from a store, which does not hold them']);
  const { seed: __, ...shared } = recorded;
  return resumeOptions(options, resolution, { ...config, options: shared });
}

/** quality/ in a run's folder: what texts earn, and what was found; nothing without a run. */
class QualityRecords {
  readonly rewards: RewardLines;
  readonly #results: JsonlLog | undefined;
  readonly #close: () => Promise<void>;

  private constructor(rewards: RewardLines, results: JsonlLog | undefined, close: () => Promise<void>) {
    this.rewards = rewards;
    this.#results = results;
    this.#close = close;
  }

  /** Throws FAILED_PRECONDITION while another evaluation of the run goes on. */
  static async open(run: string | undefined): Promise<QualityRecords> {
    if (run === undefined) {
      const nothing = { read: () => [], append: () => Promise.resolve() };
      return new QualityRecords(nothing, undefined, () => Promise.resolve());
    }
    const folder = join(run, qualityFolder);
    const lock = await RunLock.acquire(folder);
    const logs: JsonlLog[] = [];
    const close = async () => {
      for (const log of logs) await log.close();
      await lock.release();
    };
    try {
      for (const name of ['rewards.jsonl', 'results.jsonl']) logs.push(await JsonlLog.open(join(folder, name)));
      const [rewards, results] = logs as [JsonlLog, JsonlLog];
      const lines: RewardLine[] = [];
      for await (const line of rewards.records()) lines.push(line as RewardLine);
      return new QualityRecords({ read: () => lines, append: (line) => rewards.append(line) }, results, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  async add(found: readonly QualityLine[]): Promise<void> {
    for (const line of found) await this.#results?.append(line);
  }

  close(): Promise<void> {
    return this.#close();
  }
}

function print(found: readonly QualityLine[], { checkpoint, name }: Subject, { metric }: Values): void {
  const rule = new RewardRule(metric);
  const out = [`${checkpoint.state.agent} of ${name}, greedy; score 0 to 100: ${rule.description}`];
  for (const line of found) {
    const left = line.kept_all === 0 ? '' : `; ${line.kept_all} prompts more fit it and are left out`;
    out.push('', `budget ${line.budget}${left}`, qualityTable(line));
    const { full } = line.differences ?? {};
    if (full !== undefined) {
      const [mean, low, high] = [full.mean, full.low, full.high].map((value) => (100 * value).toFixed(1));
      out.push(`policy - full: ${mean} (paired 95 % interval ${low} .. ${high})`);
    }
  }
  if (found.length > 1) out.push('', budgetTable(found.map((line) => [line.budget, line])));
  process.stdout.write(`${out.join('\n')}\n`);
}

/** An error of a field that the user knows by another flag. */
function renamed(error: A2sfError, flag: string): A2sfError {
  const { code, message, field, reason } = error;
  return new A2sfError(code, message.replace(`${field}: `, `--${flag}: `), { field: flag, reason, cause: error });
}

function warn(text: string): void {
  process.stderr.write(`a2sf: ${text}\n`);
}
