import { isA2sfError } from '@a2sf/errors';

interface Member<M> {
  readonly value: M;
  /** Calls that run or are queued at the member. */
  busy: number;
  /** performance.now() until which the member is passed over because it was not reachable. */
  avoidedUntil: number;
}

interface Waiter<M> {
  readonly avoid: Member<M> | undefined;
  readonly admit: (member: Member<M>) => void;
}

/** How long a member that was not reachable is passed over while others are. */
const avoidanceMs = 10_000;

/**
 * Spreads calls over equal servers: each goes to the least busy one (the first in the list on ties), which holds
 * `perMember` calls at most, one in work and the rest queued; further calls wait here in the order they came. A call
 * that ends UNAVAILABLE is tried once more, on another member when there is one.
 */
export class MemberPool<M> {
  readonly #members: readonly Member<M>[];
  readonly #perMember: number;
  readonly #waiting: Waiter<M>[] = [];

  constructor(members: readonly M[], perMember = 2) {
    this.#members = members.map((value) => ({ value, busy: 0, avoidedUntil: 0 }));
    this.#perMember = perMember;
  }

  /** Runs one call. Rejects with what the call rejects with, or with the signal's reason while it still waits. */
  async run<T>(call: (member: M) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const first = await this.#acquire(undefined, signal);
    try {
      return await this.#use(first, call);
    } catch (error) {
      if (!isUnavailable(error) || signal?.aborted === true) throw error;
    }
    return this.#use(await this.#acquire(first, signal), call);
  }

  async #use<T>(member: Member<M>, call: (member: M) => Promise<T>): Promise<T> {
    try {
      const result = await call(member.value);
      member.avoidedUntil = 0;
      return result;
    } catch (error) {
      if (isUnavailable(error)) member.avoidedUntil = performance.now() + avoidanceMs;
      throw error;
    } finally {
      member.busy--;
      this.#admitWaiting();
    }
  }

  #acquire(avoid: Member<M> | undefined, signal?: AbortSignal): Promise<Member<M>> {
    signal?.throwIfAborted();
    const free = this.#pick(avoid);
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
      const member = this.#pick(waiter.avoid);
      if (member === undefined) {
        i++;
        continue;
      }
      this.#waiting.splice(i, 1);
      waiter.admit(member);
    }
  }

  /** The member for a call, or undefined when those that may serve it are full. */
  #pick(avoid: Member<M> | undefined): Member<M> | undefined {
    const now = performance.now();
    const others = this.#members.length > 1 ? this.#members.filter((member) => member !== avoid) : this.#members;
    const healthy = others.filter((member) => member.avoidedUntil <= now);
    const candidates = (healthy.length > 0 ? healthy : others).filter((member) => member.busy < this.#perMember);
    return candidates.reduce<Member<M> | undefined>((best, m) => (best && best.busy <= m.busy ? best : m), undefined);
  }
}

function isUnavailable(error: unknown): boolean {
  return isA2sfError(error) && error.code === 'UNAVAILABLE';
}
