import { A2sfError } from '@a2sf/errors';

/** The places where a writer of files can be made to die or to fail, in the order it passes them. */
export const failpoints = [
  'log-before-write',
  'log-torn-write',
  'log-after-write',
  'log-after-sync',
  'update-before-apply',
  'update-after-apply',
  'file-before-write',
  'file-after-write',
  'file-after-sync',
  'file-after-rename',
  'file-after-folder-sync',
  'before-remove',
  'after-remove',
] as const;

export type Failpoint = (typeof failpoints)[number];

interface Order {
  readonly name: Failpoint;
  /** The pass at which it happens, from 1. */
  readonly pass: number;
  /** Undefined: the process dies. */
  readonly errorCode: string | undefined;
}

const variable = 'A2SF_FAILPOINT';
const passes = new Map<Failpoint, number>();
const order = readOrder(process.env[variable] ?? '');

/**
 * Does nothing, unless the environment says `A2SF_FAILPOINT=name[:pass][=CODE]`: at that pass (default the first) of the
 * place of that name the process kills itself with SIGKILL, or an error of the system with that code is thrown (`ENOSPC`).
 * For tests of what survives a crash. `before` is done first when it comes to that.
 */
export async function failpoint(name: Failpoint, before?: () => Promise<unknown>): Promise<void> {
  if (order?.name !== name) return;
  const pass = (passes.get(name) ?? 0) + 1;
  passes.set(name, pass);
  if (pass !== order.pass) return;
  await before?.();
  if (order.errorCode === undefined) process.kill(process.pid, 'SIGKILL');
  else throw Object.assign(new Error(`${order.errorCode}: ${variable} ${name}`), { code: order.errorCode });
}

function readOrder(text: string): Order | undefined {
  if (text === '') return undefined;
  const [, name, pass = '1', errorCode] = /^([a-z-]+)(?::(\d{1,9}))?(?:=([A-Z]+))?$/.exec(text) ?? [];
  const known = failpoints.find((each) => each === name);
  if (known === undefined) throw A2sfError.invalid(variable, `must be name[:pass][=CODE], one of ${failpoints.join()}`);
  return { name: known, pass: Number(pass), errorCode };
}
