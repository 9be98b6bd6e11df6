import { isA2sfError } from '@a2sf/errors';

interface Member<M> {
  readonly value: M;
  /** Calls that run or are queued at the member. */
  busy: number;
  /** Milliseconds that a call is in work here, of late: a moving average; undefined before the first has ended. */
  service: number | undefined;
  /** When the last call ended. */
  endedAt: number;
  /** Time until which the member is passed over because of what it did. */
  avoidedUntil: number;
}

interface Waiter<M> {
  readonly avoid: Member<M> | undefined;
  readonly admit: (member: Member<M>) => void;
}

/** What a member did: it was not reachable, or its answer cannot be right. */
export type MemberFault = 'unreachable' | 'untrustworthy';

/** How long a member is passed over while others are there: soon tried again, or quarantined. */
const avoidanceMs: Readonly<Record<MemberFault, number>> = { unreachable: 10_000, untrustworthy: 300_000 };

/** How a pool behaves. */
export interface PoolOptions {
  /** Calls that one member holds at most. Default 2: one in work and one queued. */
  readonly perMember?: number;
  /** Told of each fault; must not throw. */
  readonly onFault?: (fault: MemberFault) => void;
  /** Milliseconds from any beginning. Default: performance.now. */
  readonly now?: () => number;
}

/** Weight of the last call in the time that a member takes. */
const newest = 0.25;

/**
 * Spreads calls over servers of any speed: each goes to the least busy one (the first in the list on ties), which holds
 * `perMember` calls at most; further calls wait here in the order they came. A member n times busy whose calls take t is given
 * none while the others, with rates 1 / t_i, would have done everything that waits and that they hold before it ends,
 *
 *     (n + 1) t > (waiting + sum of n_i) / sum of 1 / t_i + min t_i,
 *
 * so that a slow member costs only its share, also at the end, when everybody waits for the last call. A
 * call that ends UNAVAILABLE, or with an answer that cannot be right (reason `malformed-answer`), is tried once more, on
 * another member when there is one; the first is passed over for a while.
 */
export class MemberPool<M> {
  #members: readonly Member<M>[];
  readonly #perMember: number;
  readonly #onFault: (fault: MemberFault) => void;
  readonly #now: () => number;
  readonly #waiting: Waiter<M>[] = [];

  constructor(
    members: readonly M[],
    { perMember = 2, onFault = () => undefined, now = () => performance.now() }: PoolOptions = {},
  ) {
    this.#now = now;
    this.#members = members.map(newMember);
    this.#perMember = perMember;
    this.#onFault = onFault;
  }

  /** The members, in their order. */
  get members(): readonly M[] {
    return this.#members.map(({ value }) => value);
  }

  /** Members that are not passed over. */
  get usable(): number {
    const now = this.#now();
    return this.#members.filter((member) => member.avoidedUntil <= now).length;
  }

  /** Puts other members in the place of these: those that stay keep their calls, those that go finish theirs. */
  replace(values: readonly M[]): void {
    const before = new Map(this.#members.map((member) => [member.value, member]));
    this.#members = values.map((value) => before.get(value) ?? newMember(value));
    this.#admitWaiting();
  }

  /** Passes a member over for what it turned out to have done. */
  accuse(value: M, fault: MemberFault): void {
    const member = this.#members.find((candidate) => candidate.value === value);
    if (member !== undefined) this.#avoid(member, fault);
  }

  /** Runs one call. Rejects with what the call rejects with, or with the signal's reason while it still waits. */
  async run<T>(call: (member: M) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const first = await this.#acquire(undefined, signal);
    try {
      return await this.#use(first, call);
    } catch (error) {
      if (faultOf(error) === undefined || signal?.aborted === true) throw error;
    }
    return this.#use(await this.#acquire(first, signal), call);
  }

  async #use<T>(member: Member<M>, call: (member: M) => Promise<T>): Promise<T> {
    const begun = this.#now();
    try {
      const answer = await call(member.value);
      const now = this.#now();
      const took = now - Math.max(begun, member.endedAt); // before, it stood behind another call
      member.service = member.service === undefined ? took : member.service + newest * (took - member.service);
      member.endedAt = now;
      return answer;
    } catch (error) {
      const fault = faultOf(error);
      if (fault !== undefined) this.#avoid(member, fault);
      throw error;
    } finally {
      member.busy--;
      this.#admitWaiting();
    }
  }

  #avoid(member: Member<M>, fault: MemberFault): void {
    member.avoidedUntil = Math.max(member.avoidedUntil, this.#now() + avoidanceMs[fault]);
    this.#onFault(fault);
  }

  #acquire(avoid: Member<M> | undefined, signal?: AbortSignal): Promise<Member<M>> {
    signal?.throwIfAborted();
    const free = this.#pick(avoid, this.#waiting.length + 1);
    if (free !== undefined) {
      free.busy++;
      return Promise.resolve(free);
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal?.reason as Error);
      };
      const waiter: Waiter<M> = {
        avoid,
        admit: (member) => {
          signal?.removeEventListener('abort', leave);
          member.busy++;
          resolve(member);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #admitWaiting(): void {
    for (let i = 0; i < this.#waiting.length;) {
      const waiter = this.#waiting[i]!;
      const member = this.#pick(waiter.avoid, this.#waiting.length);
      if (member === undefined) {
        i++;
        continue;
      }
      this.#waiting.splice(i, 1);
      waiter.admit(member);
    }
  }

  /** The member for one of the calls that wait, or undefined when those that may serve it are full or too slow for it. */
  #pick(avoid: Member<M> | undefined, waiting: number): Member<M> | undefined {
    const now = this.#now();
    const others = this.#members.length > 1 ? this.#members.filter((member) => member !== avoid) : this.#members;
    const healthy = others.filter((member) => member.avoidedUntil <= now);
    const usable = healthy.length > 0 ? healthy : others;
    const candidates = usable.filter((member) => member.busy < this.#perMember && !isTooSlow(member, usable, waiting));
    return candidates.reduce<Member<M> | undefined>((best, m) => (best && best.busy <= m.busy ? best : m), undefined);
  }
}

/** True when the others would have done all that waits before this one has done one call more. */
function isTooSlow<M>(member: Member<M>, usable: readonly Member<M>[], waiting: number): boolean {
  if (member.service === undefined) return false;
  let rate = 0;
  let calls = waiting;
  for (const other of usable) {
    if (other === member) continue;
    if (other.service === undefined) return false;
    rate += 1 / Math.max(other.service, 1e-3);
    calls += other.busy;
  }
  return rate > 0 && (member.busy + 1) * member.service > calls / rate + Math.min(...usable.map((m) => m.service!));
}

function newMember<M>(value: M): Member<M> {
  return { value, busy: 0, service: undefined, endedAt: 0, avoidedUntil: 0 };
}

function faultOf(error: unknown): MemberFault | undefined {
  if (!isA2sfError(error)) return undefined;
  if (error.code === 'UNAVAILABLE') return 'unreachable';
  return error.reason === 'malformed-answer' ? 'untrustworthy' : undefined;
}
