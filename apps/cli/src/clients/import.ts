import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { restoreAgent } from '@a2sf/bandit';
import { boolean, option, resolveOptions, text, usageError } from '@a2sf/config';
import { A2sfError } from '@a2sf/errors';
import { checkpointName, encodePolicyCheckpoint, readTorchCheckpoint, writeFileAtomically } from '@a2sf/run-store';

const options = {
  file: option({ schema: text(), description: 'the .pt file; may be given without --file, as the first word' }),
  out: option({
    schema: text(),
    description: 'file to write (default: policy_N.safetensors in the current folder, N being its iteration)',
  }),
  overwrite: option({ schema: boolean, description: 'replace the file when there is one', default: false }),
};

/** `a2sf import`: a checkpoint of the reference in our format. It writes no .pt. */
export async function importCheckpoint(argv: readonly string[]): Promise<void> {
  const [first, ...rest] = argv;
  const flags = first === undefined || first.startsWith('-') ? argv : ['--file', first, ...rest];
  const command = {
    name: 'a2sf import FILE.pt',
    description:
      'Writes a checkpoint of the reference (policy_N.pt) as policy_N.safetensors. Nothing in the file is executed.',
  };
  const { values } = resolveOptions(command, options, flags);
  if (values.file === undefined) throw usageError(['--file: name the .pt file to import']);
  const { checkpoint, warnings } = readTorchCheckpoint(values.file);
  const out = values.out ?? checkpointName(checkpoint.iteration);
  if (extname(out) !== '.safetensors') throw usageError([`--out: must end in .safetensors, got ${basename(out)}`]);
  if (!values.overwrite && existsSync(out)) {
    const message = `--out: ${basename(out)} is there already; name another file, or replace it with --overwrite`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: 'out' });
  }
  await writeFileAtomically(out, encodePolicyCheckpoint(checkpoint));
  for (const warning of warnings) process.stderr.write(`a2sf: ${warning}\n`);
  const { space, dimension, hidden } = restoreAgent(checkpoint.state);
  const policy = `iteration ${checkpoint.iteration}, ${space.size} actions, embeddings of ${dimension}, width ${hidden}`;
  process.stdout.write(`${out}: ${policy}\n`);
}
