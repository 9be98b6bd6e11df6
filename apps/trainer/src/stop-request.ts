import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';
import { A2sfError } from '@a2sf/errors';

/** The wish of whoever runs the process that it stop: SIGINT or SIGTERM. */
export interface StopRequest {
  /** Aborted by the first signal; a second one ends the process at once. */
  readonly signal: AbortSignal;
  /** 128 + the signal's number once one came: 130 for SIGINT, 143 for SIGTERM. */
  exitCode(): number | undefined;
  /** Stops listening. */
  dispose(): void;
}

/** Listens for the signals that ask a process to stop. */
export function listenForStop(): StopRequest {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // every call to every service listens
  let exitCode: number | undefined;
  const listener = (name: NodeJS.Signals) => {
    if (exitCode !== undefined) process.exit(exitCode);
    exitCode = 128 + constants.signals[name];
    controller.abort(new A2sfError('CANCELLED', `stopped by ${name}`, { reason: 'stopped' }));
  };
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.on(name, listener);
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    dispose: () => {
      for (const name of names) process.off(name, listener);
    },
  };
}
