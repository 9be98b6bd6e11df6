import { constants } from 'node:os';

/** Milliseconds after an orderly stop in which the process may end by itself. */
const exitGraceMs = 2000;

const running = new Set<() => Promise<void>>();
let stopping = false;

function stopAll(): void {
  stopping = true;
  void Promise.allSettled([...running].map((stop) => stop())).finally(() => {
    // What still keeps the process alive (a worker, an open socket) does not hold up its end.
    setTimeout(() => process.exit(), exitGraceMs).unref();
  });
}

function onSignal(signal: NodeJS.Signals): void {
  if (stopping) process.exit(128 + constants.signals[signal]);
  stopAll();
}

/**
 * Calls `stop` at the first SIGTERM or SIGINT, and when the parent that spawned this process with an IPC channel is gone,
 * also by SIGKILL; a second signal ends the process at once. The channel does not keep the process alive. Returns the
 * function that undoes this.
 */
export function onStopSignal(stop: () => Promise<void>): () => void {
  if (running.size === 0) {
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    if (process.channel !== undefined) {
      process.on('disconnect', stopAll);
      process.channel.unref();
    }
  }
  running.add(stop);
  return () => {
    running.delete(stop);
    // While a stop by signal is under way, the second signal must still be heard.
    if (running.size > 0 || stopping) return;
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    process.off('disconnect', stopAll);
  };
}
