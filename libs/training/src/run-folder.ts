import { readFile, readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import {
  CheckpointFolder,
  checkpointName,
  EmbeddingFile,
  JsonlLog,
  RunLock,
  writeFileAtomically,
} from '@a2sf/run-store';
import type { EvaluationLine } from './evaluation.js';
import type { EmbeddingStore } from './prompt-memory.js';
import type { RewardLine, RewardLines } from './reward-lines.js';
import type { BestCheckpoint, ProgressLine, RunRecords } from './run-records.js';
import type { Writing } from './wait-for-room.js';

/** Name of the file that tells all that defines a run. */
export const configFile = 'config.json';
const progressFile = 'progress.jsonl';
const evaluationFile = 'evaluation.jsonl';
const evaluationRewardsFile = 'evaluation_rewards.jsonl';
const trainRewardsFile = 'train_rewards.jsonl';
const logFiles: readonly string[] = [progressFile, evaluationFile, evaluationRewardsFile, trainRewardsFile];
const embeddingsFile = 'embeddings.bin';
const dataFiles: readonly string[] = [...logFiles, embeddingsFile];
const checkpointPattern = /^policy_\d+\.safetensors$/;

/** Checkpoints that are kept beside the best one. */
const keepLast = 3;

/** What to do with what a claimed folder holds. */
export type FolderUse =
  | { readonly kind: 'new' }
  | { readonly kind: 'overwrite' }
  /** Go on behind `iteration` of the run in the folder `from`: what was recorded after it is cut off. */
  | { readonly kind: 'resume'; readonly iteration: number; readonly from: string };

/** The right to write into a folder. */
export interface FolderClaim {
  readonly path: string;
  readonly lock: RunLock;
  /** Gives the right back and takes away a folder that was made for nothing. */
  release(): Promise<void>;
}

/**
 * Takes the right to write into a folder, making it if need be, and changes nothing in it. Throws FAILED_PRECONDITION when
 * another process has it, or when the folder holds a run and `mayHoldRun` is not set.
 */
export async function claimFolder(path: string, mayHoldRun: boolean): Promise<FolderClaim> {
  const lock = await RunLock.acquire(path);
  const release = async () => {
    await lock.release();
    await rmdir(path).catch(() => undefined); // it holds something, as a rule
  };
  if (mayHoldRun || (await runFiles(path)).length === 0) return { path, lock, release };
  await release();
  const remedy = `go on with --resume ${path}, start anew with --overwrite, or choose another --save_dir`;
  throw new A2sfError('FAILED_PRECONDITION', `save_dir: ${path} holds a run already; ${remedy}`, {
    field: 'save_dir',
    reason: 'run-exists',
  });
}

/** The folder of one run, locked while it is open: config.json, the logs, the embeddings and the checkpoints. */
export class RunFolder implements RunRecords {
  readonly path: string;
  readonly evaluationRewards: RewardLines;
  readonly trainRewards: RewardLines;
  readonly #lock: RunLock;
  readonly #checkpoints: CheckpointFolder;
  readonly #logs: Logs;
  readonly #embeddings: EmbeddingFile;
  readonly #evaluations: EvaluationLine[];
  readonly #write: Writing;

  private constructor(
    { path, lock }: FolderClaim,
    { checkpoints, logs, embeddings }: Files,
    lines: Lines,
    write: Writing,
  ) {
    this.path = path;
    this.#lock = lock;
    this.#checkpoints = checkpoints;
    this.#logs = logs;
    this.#embeddings = embeddings;
    this.#evaluations = lines.evaluations;
    this.#write = write;
    this.evaluationRewards = {
      read: () => lines.evaluationRewards,
      append: (line) => write(() => logs.evaluationRewards.append(line)),
    };
    this.trainRewards = {
      read: () => lines.trainRewards,
      append: (line) => write(() => logs.trainRewards.append(line)),
    };
  }

  /**
   * Opens a claimed folder; the claim is given back with `close`. Only now is anything in it changed. `write` does each
   * write of the open folder; default: once.
   */
  static async open(claim: FolderClaim, use: FolderUse, write: Writing = (once) => once()): Promise<RunFolder> {
    const { path } = claim;
    if (use.kind === 'overwrite') for (const name of await runFiles(path)) await unlink(join(path, name));
    if (use.kind === 'resume' && use.from !== path) await copyData(use.from, path);
    const checkpoints = await CheckpointFolder.open(path);
    const logs = await openLogs(path);
    if (use.kind === 'resume') await cutBehind(use.iteration, path, logs, checkpoints);
    const lines: Lines = {
      evaluations: await recordsOf<EvaluationLine>(logs.evaluation),
      evaluationRewards: await recordsOf<RewardLine>(logs.evaluationRewards),
      trainRewards: await recordsOf<RewardLine>(logs.trainRewards),
    };
    const embeddings = await EmbeddingFile.open(join(path, embeddingsFile));
    return new RunFolder(claim, { checkpoints, logs, embeddings }, lines, write);
  }

  /** Writes config.json. */
  async writeConfig(config: unknown): Promise<void> {
    const text = `${JSON.stringify(config, null, 2)}\n`;
    await this.#write(() => writeFileAtomically(join(this.path, configFile), text));
  }

  /** The embeddings that an encoder makes of the run's prompts. */
  embeddingsOf(encoderId: string): EmbeddingStore {
    return {
      get: (hash) => this.#embeddings.get(encoderId, hash),
      add: (entries) => this.#write(() => this.#embeddings.add(entries)),
    };
  }

  async appendProgress(line: ProgressLine): Promise<void> {
    await this.#write(() => this.#logs.progress.append(line));
  }

  async appendEvaluation(line: EvaluationLine): Promise<void> {
    await this.#write(() => this.#logs.evaluation.append(line));
    this.#evaluations.push(line);
  }

  evaluations(): readonly EvaluationLine[] {
    return this.#evaluations;
  }

  async writeCheckpoint(iteration: number, bytes: Uint8Array): Promise<void> {
    await this.#write(() => this.#checkpoints.writeBytes(iteration, bytes));
    await this.#checkpoints.prune(keepLast, (await this.best())?.iteration);
  }

  async best(): Promise<BestCheckpoint | undefined> {
    const stored = new Set(await this.#checkpoints.list());
    const candidates = this.#evaluations.filter((line) => stored.has(line.iteration));
    if (candidates.length === 0) return undefined;
    const line = candidates.reduce((best, line) => (best.eval_avg_reward >= line.eval_avg_reward ? best : line));
    return { iteration: line.iteration, file: checkpointName(line.iteration), reward: line.eval_avg_reward };
  }

  /** Closes the files and gives the lock back. */
  async close(): Promise<void> {
    await Promise.all([...Object.values(this.#logs), this.#embeddings].map((file) => file.close()));
    await this.#lock.release();
  }
}

interface Logs {
  readonly progress: JsonlLog;
  readonly evaluation: JsonlLog;
  readonly evaluationRewards: JsonlLog;
  readonly trainRewards: JsonlLog;
}

interface Files {
  readonly checkpoints: CheckpointFolder;
  readonly logs: Logs;
  readonly embeddings: EmbeddingFile;
}

interface Lines {
  readonly evaluations: EvaluationLine[];
  readonly evaluationRewards: RewardLine[];
  readonly trainRewards: RewardLine[];
}

async function recordsOf<T>(log: JsonlLog): Promise<T[]> {
  const lines: T[] = [];
  for await (const line of log.records()) lines.push(line as T);
  return lines;
}

/** Copies the logs and embeddings of a run into another folder, so that it can be resumed there. */
async function copyData(from: string, to: string): Promise<void> {
  for (const name of dataFiles) {
    const data = await readFile(join(from, name)).catch(() => undefined);
    if (data !== undefined) await writeFileAtomically(join(to, name), data);
  }
}

async function openLogs(path: string): Promise<Logs> {
  return {
    progress: await JsonlLog.open(join(path, progressFile)),
    evaluation: await JsonlLog.open(join(path, evaluationFile)),
    evaluationRewards: await JsonlLog.open(join(path, evaluationRewardsFile)),
    trainRewards: await JsonlLog.open(join(path, trainRewardsFile)),
  };
}

/** What was recorded behind the iteration would be recorded again: lines and checkpoints alike are taken away. */
async function cutBehind(iteration: number, path: string, logs: Logs, checkpoints: CheckpointFolder): Promise<void> {
  const belongs = (line: unknown) => (line as { readonly iteration: number }).iteration <= iteration;
  await logs.progress.truncateAfter(belongs);
  await logs.evaluation.truncateAfter(belongs);
  for (const later of await checkpoints.list()) {
    if (later > iteration) await unlink(join(path, checkpointName(later)));
  }
}

async function runFiles(path: string): Promise<string[]> {
  return (await readdir(path)).filter(
    (name) => name === configFile || dataFiles.includes(name) || checkpointPattern.test(name),
  );
}
