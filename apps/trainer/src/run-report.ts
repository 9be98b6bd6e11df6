import { join } from 'node:path';
import { readRun, textsFile, worstCount, worstPrompts, writeReport, type TextRecord } from '@a2sf/report';
import { writeFileAtomically } from '@a2sf/run-store';
import type { Logger } from '@a2sf/observability';
import type { GenerationSettings, Peers, PromptMemory } from '@a2sf/training';

/** What the texts of the worst prompts are made with. */
export interface TextSource {
  readonly evaluation: PromptMemory;
  readonly peers: Peers;
  readonly generation: GenerationSettings;
  readonly signal: AbortSignal;
}

/** Characters that are kept of each end of a prompt. */
const promptEnd = 2000;

/**
 * Leaves report.html and tensorboard/ in the run's folder, and the texts of its worst prompts if there is a source for
 * them. Returns what is to be said of it; a report that fails is a warning, for the run is complete without it.
 */
export async function reportRun(folder: string, source: TextSource | undefined, log: Logger): Promise<string> {
  try {
    if (source !== undefined) await recordTexts(folder, source);
  } catch (error) {
    if (!source!.signal.aborted) log.warn({ err: error }, 'the texts of the worst prompts could not be recorded');
  }
  try {
    const [page] = await writeReport(folder, { tensorboard: join(folder, 'tensorboard') });
    return `report: ${page}`;
  } catch (error) {
    log.warn({ err: error }, 'the report could not be made');
    return `no report was made; make one with: a2sf report ${folder}`;
  }
}

/** One sweep of one action for each of the worst prompts whose texts are not recorded yet. */
async function recordTexts(folder: string, source: TextSource): Promise<void> {
  const run = await readRun(folder);
  const worst = worstPrompts(run, worstCount);
  if (worst.every(({ texts }) => texts !== undefined)) return;
  const { evaluation, peers, generation, signal } = source;
  const lines = await Promise.all(
    worst.map(async ({ index, row, taken: { a, b, budget }, texts }): Promise<TextRecord> => {
      if (texts !== undefined) return texts;
      const { text, wrap } = evaluation.prompt(index);
      const action = budget === undefined ? { a, b } : { a, b, budget };
      const task = { text, wrap, actions: [action], includeFull: true, scoreFull: false, ...generation };
      const { full, texts: swept } = await peers.sweep(task, signal);
      const { key, hash } = row;
      return { key, hash, ...action, prompt: ends(text), full: full?.text ?? '', compressed: swept[0]?.text ?? '' };
    }),
  );
  const data = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeFileAtomically(join(folder, textsFile), Buffer.from(data));
}

/** Both ends of a long text and how much is left out between them. */
function ends(text: string): string {
  if (text.length <= 2 * promptEnd) return text;
  const left = text.length - 2 * promptEnd;
  return `${text.slice(0, promptEnd)}\n[... ${left} characters ...]\n${text.slice(-promptEnd)}`;
}
