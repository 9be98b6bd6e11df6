import { readFileSync } from 'node:fs';

/** True when a process of this number runs on this machine, whoever owns it. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * When a process started, in clock ticks since the machine did: with the number it names a process for good, as numbers
 * are given again (in a container the first process is always number 1). Undefined where the system does not tell.
 */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]; // field 22; the name before ')' may hold spaces
  } catch {
    return undefined;
  }
}
