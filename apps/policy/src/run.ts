import { resolveOptions } from '@a2sf/config';
import { createLogger } from '@a2sf/observability';
import { options } from './options.js';
import { requireRole } from './replica-start.js';
import { givenNumbers, startPolicy } from './start.js';

/** Serves a policy until it is told to stop. */
export async function run(argv: readonly string[]): Promise<void> {
  const command = { name: 'a2sf serve policy', description: 'Chooses actions for prompts and learns from rewards.' };
  const resolution = resolveOptions(command, options, argv);
  requireRole(resolution);
  const log = createLogger({ name: 'policy', level: resolution.values.logLevel });
  const server = await startPolicy({
    values: resolution.values,
    given: givenNumbers(resolution),
    log,
    onLost: (error) => {
      log.fatal({ err: error }, 'the policy worker is gone');
      process.exit(1);
    },
  });
  await server.stopped;
}
