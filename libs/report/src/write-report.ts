import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '@a2sf/run-store';
import { encodeEventFile } from './event-file.js';
import { renderPage } from './page.js';
import { readRun } from './read-run.js';
import { scalarsOf } from './scalars.js';

/** Where a report goes. */
export interface ReportOptions {
  /** The page; default report.html in the run folder. */
  readonly output?: string;
  /** Folder of the TensorBoard event file; none is written without it. */
  readonly tensorboard?: string;
}

/** One name for all reports of a run: a new one takes the place of the old. TensorBoard looks for `tfevents` in it. */
const eventFile = 'events.out.tfevents.0000000000.a2sf';

/**
 * Makes the page of a run folder, and its event file if asked. Returns the paths of what was written. Throws what `readRun`
 * throws, and the file's error when it cannot be written; a file is there in whole or not at all.
 */
export async function writeReport(folder: string, options: ReportOptions = {}): Promise<readonly string[]> {
  const run = await readRun(folder);
  const output = options.output ?? join(folder, 'report.html');
  await writeFileAtomically(output, Buffer.from(renderPage(run)));
  if (options.tensorboard === undefined) return [output];
  const { mtimeMs } = await stat(join(folder, 'config.json'));
  await mkdir(options.tensorboard, { recursive: true });
  const events = join(options.tensorboard, eventFile);
  await writeFileAtomically(events, encodeEventFile(scalarsOf(run, mtimeMs / 1000)));
  return [output, events];
}
