import { createHash } from 'node:crypto';
import { wrapFor, type PromptRow } from '@a2sf/datasets';
import { A2sfError } from '@a2sf/errors';
import type { StorePrompt } from './build-store.js';

/** The prompts of rows, and what was left out and why, for people. */
export interface StorePrompts {
  readonly prompts: readonly StorePrompt[];
  readonly notes: readonly string[];
}

/**
 * The prompts that a store is built of, in the order of the rows: blank ones and repetitions of a dataset's prompt are left
 * out and told. The model's name decides how they are wrapped. Throws INVALID_ARGUMENT naming `data` when none is left.
 */
export function storePrompts(rows: readonly PromptRow[], modelName: string): StorePrompts {
  const filled = rows.filter(({ text }) => text.trim() !== '');
  const prompts = new Map<string, StorePrompt>();
  for (const { id, dataset, text, answers, allClasses } of filled) {
    const hash = createHash('sha256').update(text).digest('hex');
    const wrap = wrapFor(modelName, dataset) === 'inst' ? 'PROMPT_WRAP_INST' : 'PROMPT_WRAP_UNSPECIFIED';
    const key = `${hash} ${dataset}`;
    if (!prompts.has(key)) prompts.set(key, { id, dataset, text, answers, allClasses, hash, wrap });
  }
  if (prompts.size === 0) throw A2sfError.invalid('data', 'holds no prompts');
  const left = (count: number, what: string) => (count === 0 ? [] : [`${count} ${what} prompts were left out`]);
  const notes = [...left(rows.length - filled.length, 'blank'), ...left(filled.length - prompts.size, 'repeated')];
  return { prompts: [...prompts.values()], notes };
}
