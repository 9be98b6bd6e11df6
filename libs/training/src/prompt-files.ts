import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseRows, wrapFor, type PromptRow } from '@a2sf/datasets';
import { A2sfError } from '@a2sf/errors';
import type { Prompt } from './prompt.js';
import { lowest, split, withoutRepeats } from './prompt-split.js';

/** Which prompts a run uses. */
export interface PromptSelection {
  /** A folder with train.jsonl and eval.jsonl, or one .jsonl file that is split. */
  readonly path: string;
  /** Only rows of these datasets; empty means all. */
  readonly datasets: readonly string[];
  /** Evaluation prompts at most; 0 means all. */
  readonly evalSamples: number;
  /** Name of the model, whose preset decides how prompts are wrapped; empty for the embedded one. */
  readonly modelName: string;
}

/** The prompts of a run; no text stands on both sides. */
export interface PromptSets {
  readonly train: readonly Prompt[];
  readonly evaluation: readonly Prompt[];
  /** What was left out and why, for people. */
  readonly notes: readonly string[];
}

/**
 * Reads the prompts of a run. A single file is split by the hash of the filled prompt: a prompt stands on the same side
 * in every file and every order. Evaluation prompts are those of the lowest hashes when there are more than asked for.
 * Throws INVALID_ARGUMENT naming `data` or `datasets`, or every row that is not sound.
 */
export async function readPrompts(selection: PromptSelection): Promise<PromptSets> {
  const kind = await stat(selection.path).catch(() => undefined);
  if (kind === undefined) throw A2sfError.invalid('data', `there is no file or folder ${selection.path}`);
  const notes: string[] = [];
  const read = async (path: string) => prompts(await rowsOf(path), selection, notes, basename(path));
  const sides = kind.isDirectory()
    ? {
        train: await read(join(selection.path, 'train.jsonl')),
        evaluation: await read(join(selection.path, 'eval.jsonl')),
      }
    : split(await read(selection.path));

  const evaluation = lowest(withoutRepeats(sides.evaluation), selection.evalSamples);
  const held = new Set(sides.evaluation.map((prompt) => prompt.hash));
  const train = sides.train.filter((prompt) => !held.has(prompt.hash));
  const both = sides.train.length - train.length;
  if (both > 0) notes.push(`${both} training prompts are evaluation prompts too and were left out`);
  if (train.length === 0 || evaluation.length === 0) {
    const lacking = train.length === 0 ? 'training' : 'evaluation';
    throw A2sfError.invalid('data', `${selection.path} holds no ${lacking} prompts`);
  }
  return { train, evaluation, notes };
}

/** SHA-256 of a prompt set: its texts in order and all that is compared with the answers to them. */
export function promptSetHash(prompts: readonly Prompt[]): string {
  const hash = createHash('sha256');
  for (const { hash: text, dataset, answers, allClasses, wrap } of prompts) {
    hash.update(`${JSON.stringify([text, dataset, answers, allClasses, wrap])}\n`);
  }
  return hash.digest('hex');
}

async function rowsOf(path: string): Promise<PromptRow[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new A2sfError('INVALID_ARGUMENT', `data: cannot read ${path}`, { field: 'data', cause });
  });
  return parseRows(text, basename(path));
}

function prompts(
  rows: readonly PromptRow[],
  { datasets, modelName }: PromptSelection,
  notes: string[],
  file: string,
): Prompt[] {
  const known = new Set(rows.map((row) => row.dataset));
  const unknown = datasets.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw A2sfError.invalid('datasets', `${file} holds no rows of ${unknown}, only of ${[...known].sort().join(', ')}`);
  }
  const wanted = rows.filter((row) => datasets.length === 0 || datasets.includes(row.dataset));
  const filled = wanted.filter((row) => row.text.trim() !== '');
  if (filled.length < wanted.length)
    notes.push(`${file}: ${wanted.length - filled.length} blank prompts were left out`);
  return filled.map(({ id, dataset, text, answers, allClasses }) => ({
    id,
    dataset,
    text,
    answers,
    allClasses,
    hash: createHash('sha256').update(text).digest('hex'),
    wrap: wrapFor(modelName, dataset) === 'inst' ? 'PROMPT_WRAP_INST' : 'PROMPT_WRAP_UNSPECIFIED',
  }));
}
