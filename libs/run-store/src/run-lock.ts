import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { A2sfError } from '@a2sf/errors';
import { isAlive, startTime } from './process-identity.js';
import { storageError } from './storage-error.js';

const lockName = 'run.lock';

/** The holder touches its lock this often... */
const heartbeatMs = 15_000;

/** ...and one of another machine, where its process cannot be asked for, counts as dead after this silence. */
const silenceMs = 120_000;

interface Owner {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  readonly started: string | null;
}

/** The right to write into a run folder, held by one process at a time. */
export class RunLock {
  readonly #path: string;
  readonly #id: string;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(path: string, id: string) {
    this.#path = path;
    this.#id = id;
    this.#heartbeat = setInterval(() => {
      const now = new Date();
      utimes(path, now, now).catch(() => undefined); // a missed beat is made up by the next
    }, heartbeatMs).unref();
  }

  /**
   * Takes the lock of a folder, making the folder if need be. A lock whose process is dead is taken over. Throws
   * FAILED_PRECONDITION (reason `run-locked`) naming the holder when it lives.
   */
  static async acquire(folder: string): Promise<RunLock> {
    const path = join(folder, lockName);
    const owner: Owner = {
      id: randomUUID(),
      pid: process.pid,
      host: hostname(),
      started: startTime(process.pid) ?? null,
    };
    try {
      await mkdir(folder, { recursive: true });
      for (let attempt = 0; attempt < 10; attempt++) {
        if (await create(path, JSON.stringify(owner))) return new RunLock(path, owner.id);
        await removeIfStale(path);
      }
    } catch (error) {
      throw storageError(lockName, error);
    }
    throw held('other processes are taking it');
  }

  /** Gives the lock back; a second call, or one after the lock was lost, does nothing. */
  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    const text = await readFile(this.#path, 'utf8').catch(() => '');
    if (parseOwner(text)?.id === this.#id) await unlink(this.#path).catch(() => undefined);
  }
}

/** False when the file exists. It appears with its whole content at once: written aside, then linked. */
async function create(path: string, content: string): Promise<boolean> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await writeFile(aside, content, { flag: 'wx' });
    await link(aside, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await unlink(aside).catch(() => undefined); // the disk may have been too full to make it
  }
}

/** Removes a lock whose holder is dead; throws when it lives. */
async function removeIfStale(path: string): Promise<void> {
  let text: string;
  let silentMs: number;
  try {
    text = await readFile(path, 'utf8');
    silentMs = Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return; // released meanwhile
    throw error;
  }
  const owner = parseOwner(text);
  if (owner !== undefined && isHeld(owner, silentMs)) {
    throw held(`process ${owner.pid} on ${owner.host} is writing to it`);
  }
  // Two takers may both have found it stale. Renaming moves it for one of them only; should that one have moved the
  // other's fresh lock, it is put back.
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== text) await link(aside, path).catch(() => undefined);
  await unlink(aside);
}

function isHeld(owner: Owner, silentMs: number): boolean {
  if (owner.host !== hostname()) return silentMs < silenceMs;
  if (!isAlive(owner.pid)) return false;
  const started = startTime(owner.pid);
  return owner.started === null || started === undefined || owner.started === started;
}

function parseOwner(text: string): Owner | undefined {
  try {
    const value = JSON.parse(text) as Partial<Owner> | null;
    if (typeof value?.id !== 'string' || typeof value.pid !== 'number' || typeof value.host !== 'string')
      return undefined;
    return {
      id: value.id,
      pid: value.pid,
      host: value.host,
      started: typeof value.started === 'string' ? value.started : null,
    };
  } catch {
    return undefined;
  }
}

function held(why: string): A2sfError {
  const message = `the folder is locked: ${why}; wait for it, or delete ${lockName} if it is gone`;
  return new A2sfError('FAILED_PRECONDITION', message, { field: lockName, reason: 'run-locked' });
}
