import { option, resolveOptions, text, usageError } from '@a2sf/config';
import { writeReport } from '@a2sf/report';

const options = {
  run: option({
    schema: text(),
    description: 'the run folder; may be given without --run, as the first word',
    group: 'Run',
  }),
  output: option({ schema: text(), description: 'the page (default: report.html in the run folder)', group: 'Report' }),
  tensorboard: option({
    schema: text(),
    description: 'folder to write a TensorBoard event file into; it is made if need be (default: none is written)',
    group: 'Report',
  }),
};

/** `a2sf report`: a run folder as one HTML page, and as a TensorBoard event file. */
export async function report(argv: readonly string[]): Promise<void> {
  const [first, ...rest] = argv;
  const flags = first === undefined || first.startsWith('-') ? argv : ['--run', first, ...rest];
  const command = {
    name: 'a2sf report RUN_FOLDER',
    description: 'Makes one self-contained HTML page of a run folder. The folder may be that of a run that goes on.',
  };
  const { run, output, tensorboard } = resolveOptions(command, options, flags).values;
  if (run === undefined) throw usageError(['--run: name the run folder']);
  const written = await writeReport(run, {
    ...(output === undefined ? {} : { output }),
    ...(tensorboard === undefined ? {} : { tensorboard }),
  });
  process.stdout.write(`${written.join('\n')}\n`);
}
