import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { A2sfError } from '@a2sf/errors';
import { serviceRuntime, type ServiceName } from './service-runtime.js';

const command = fileURLToPath(new URL('../bin/a2sf.js', import.meta.url));

/** How long a service may take to stop in order. */
const stopGraceMs = 15_000;

/** A service that runs as a child of this process, on loopback, and does not outlive it. */
export class ChildService {
  readonly #name: ServiceName;
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  #lastLine = '';
  #stopping = false;

  /** Starts the service on any free ports. `log` takes what it writes to stderr. */
  constructor(name: ServiceName, flags: readonly string[], log: (line: string) => void) {
    this.#name = name;
    // A channel tells the child when this process is gone, however it went. A process group of its own keeps a Ctrl-C in
    // the terminal from it: the trainer stops it when its last checkpoint is written.
    const own = ['--port', '0', '--http_port', '0'];
    const { nodeFlags, environment } = serviceRuntime[name];
    this.#child = spawn(process.execPath, [...nodeFlags, command, 'serve', name, ...own, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...environment, ...ownEnvironment() },
      detached: true,
    });
    this.#exit = once(this.#child, 'close');
    createInterface({ input: this.#child.stderr! }).on('line', (line) => {
      log(line);
      if (line.trim() !== '' && !line.endsWith('--help lists the options')) this.#lastLine = line;
    });
  }

  /** The address it listens on. Throws FAILED_PRECONDITION with its last words when it ends before. */
  async address(signal: AbortSignal): Promise<string> {
    const lines = createInterface({ input: this.#child.stdout! });
    const done = new AbortController();
    const either = AbortSignal.any([signal, done.signal]);
    const first = once(lines, 'line', { signal: either }).then(([line]) => String(line));
    const line = await Promise.race([first, this.#exit.then(() => undefined)]).finally(() => done.abort());
    // What else it writes is of no interest, but must be read for it not to block.
    lines.on('line', () => undefined);
    if (line === undefined) throw this.failure()!;
    return `127.0.0.1:${(JSON.parse(line) as { readonly port: number }).port}`;
  }

  /** Resolves with the failure when the service ends without having been stopped. */
  async ended(): Promise<A2sfError | undefined> {
    await this.#exit;
    return this.failure();
  }

  /** Why the service ended by itself; undefined while it runs and when it was stopped. */
  failure(): A2sfError | undefined {
    const { exitCode, signalCode } = this.#child;
    if (this.#stopping || (exitCode === null && signalCode === null)) return undefined;
    const how = signalCode === null ? `exit code ${exitCode}` : signalCode;
    const words = this.#lastLine === '' ? `ended (${how})` : lastWords(this.#lastLine);
    return new A2sfError('FAILED_PRECONDITION', `${this.#name}: ${words}`, {
      field: this.#name,
      reason: 'service-ended',
    });
  }

  /** Stops the service in order, or by force when that takes too long; idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const late = new AbortController();
    const force = delay(stopGraceMs, undefined, { signal: late.signal, ref: false }).then(
      () => this.#child.kill('SIGKILL'),
      () => false,
    );
    await this.#exit;
    late.abort();
    await force;
  }
}

/** This process's environment without the suite's variables: they are meant for the command that was called. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !key.startsWith('A2SF_') && key !== 'OTEL_SERVICE_NAME'),
  );
}

/** What a service said last: the message of a log line, or the line without the command's name. */
function lastWords(line: string): string {
  try {
    const { err, msg } = JSON.parse(line) as { readonly err?: { readonly message?: string }; readonly msg?: string };
    return err?.message ?? msg ?? line;
  } catch {
    return line.replace(/^a2sf: /, '');
  }
}
