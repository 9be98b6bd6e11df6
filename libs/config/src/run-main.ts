import { isA2sfError } from '@a2sf/errors';

/** The lines that a failed process leaves on stderr, and its exit code: 2 for wrong usage, else 1. */
export function failure(name: string, error: unknown, debug: boolean): { text: string; exitCode: number } {
  const message = error instanceof Error ? error.message : String(error);
  const lines = message.split('\n').map((line) => `${name}: ${line}`);
  const usage = isA2sfError(error) && error.reason === 'usage';
  if (debug && error instanceof Error) lines.push(error.stack ?? '', ...causes(error));
  return { text: `${lines.join('\n')}\n`, exitCode: usage ? 2 : 1 };
}

function causes(error: Error): string[] {
  const lines: string[] = [];
  let cause = error.cause;
  for (let depth = 0; cause !== undefined && depth < 8; depth++) {
    lines.push(`caused by: ${cause instanceof Error ? (cause.stack ?? cause.message) : typeof cause}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return lines;
}

/**
 * Wraps a process entry. An error ends the process with its message on stderr, `<name>: <message>`; the stack is shown
 * with A2SF_LOG_LEVEL=debug or trace only. A closed pipe on stdout (`| head`) ends it quietly.
 */
export function runMain(name: string, main: (argv: string[]) => Promise<void>): void {
  const fail = (error: unknown): never => {
    const debug = ['debug', 'trace'].includes(process.env['A2SF_LOG_LEVEL'] ?? '');
    const { text, exitCode } = failure(name, error, debug);
    process.stderr.write(text);
    process.exit(exitCode);
  };
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EPIPE' ? process.exit(0) : fail(error),
  );
  process.on('uncaughtException', fail);
  void Promise.resolve()
    .then(() => main(process.argv.slice(2)))
    .catch(fail);
}
