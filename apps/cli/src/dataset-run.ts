import { setMaxListeners } from 'node:events';
import { constants } from 'node:os';
import { A2sfError } from '@a2sf/errors';
import { GrpcPeers } from '@a2sf/training';
import type { Services } from './dataset-services.js';

/**
 * Runs work that the first SIGINT or SIGTERM stops (exit code 130 or 143) and a second one ends at once. `kept` says what
 * becomes of what was done.
 */
export async function stoppable(kept: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
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
  try {
    await work(controller.signal);
  } catch (error) {
    if (exitCode === undefined) throw error;
    process.stderr.write(`a2sf: stopped; ${kept}\n`);
  } finally {
    for (const name of names) process.off(name, listener);
  }
  process.exitCode = exitCode ?? process.exitCode;
}

/** Runs work with services, and stops those that were started. What ended a service is told rather than its consequence. */
export async function withPeers(services: Services, work: (peers: GrpcPeers) => Promise<void>): Promise<void> {
  const { generators, encoder, reward, security, patience } = services;
  // Nothing is asked of a policy: a channel that is not used connects to nothing.
  const peers = new GrpcPeers({ generators, encoder, reward, policy: encoder }, {}, { security, ...patience });
  try {
    await work(peers);
  } catch (error) {
    throw services.failure() ?? error;
  } finally {
    peers.close();
    await services.stop();
  }
}

/** Tells how far something is: in place on a terminal, else a line at each tenth. */
export function progressLine(
  what: string,
  terminal = process.stderr,
): (done: number, of: number, note?: string) => void {
  let tenth = -1;
  return (done, of, note = '') => {
    const text = `${what}: ${done}/${of}${note}`;
    if (terminal.isTTY) return void terminal.write(`\r${text}${done === of ? '\n' : ''}`);
    const now = of === 0 ? 10 : Math.floor((10 * done) / of);
    if (now > tenth) terminal.write(`${text}\n`);
    tenth = now;
  };
}
