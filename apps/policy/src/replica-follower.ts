import { setTimeout as delay } from 'node:timers/promises';
import type { PolicyServiceStub, WatchPolicyResponseOutput } from '@a2sf/contracts';
import { Backoff, callServerStream } from '@a2sf/grpc-runtime';
import type { Logger } from '@a2sf/observability';
import { collectBytes } from './collect-bytes.js';
import type { PolicyDescription } from './learner.js';
import type { ReplicaStanding, ToldVersion } from './replica-standing.js';

/** What became of a fetch. */
export type FetchOutcome = 'taken' | 'older' | 'failed';

/** What a follower works with. */
export interface FollowerParts {
  /** A client of the learner; the follower does not close it. */
  readonly client: PolicyServiceStub;
  readonly standing: ReplicaStanding;
  readonly maxCheckpointBytes: number;
  readonly log: Logger;
  /** The revision that a fetch may tell the changes since; undefined: the whole policy is asked for. */
  readonly revision: () => string | undefined;
  /** Puts a fetched policy in the place of the one that is served. */
  readonly take: (bytes: Uint8Array) => Promise<PolicyDescription>;
  readonly onFetched: (outcome: FetchOutcome, policy?: PolicyDescription) => void;
}

/** A stream that says nothing is begun anew after so long. */
const watchMs = 3_600_000;
const fetchMs = 60_000;

/**
 * Follows a learner for ever: watches its versions and fetches each new one, never two at a time, and of several that came
 * meanwhile only the newest. What fails is tried again; what is served stays until the next policy is whole.
 */
export class ReplicaFollower {
  readonly #parts: FollowerParts;
  readonly #stop = new AbortController();
  #done: Promise<unknown> = Promise.resolve();
  #streams = 0;
  #wanted: ToldVersion | undefined;
  #isFetching = false;
  /** The last fetch failed: the next one asks for the whole policy. */
  #isDoubtful = false;
  #fetching: Promise<void> = Promise.resolve();

  constructor(parts: FollowerParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#done = this.#watch();
  }

  /** Ends what is under way; nothing is taken afterwards. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
    await this.#fetching;
  }

  async #watch(): Promise<void> {
    const { client, standing, log } = this.#parts;
    const { signal } = this.#stop;
    const backoff = new Backoff();
    let isTold = false;
    while (!signal.aborted) {
      const stream = ++this.#streams;
      let problem: unknown;
      try {
        for await (const message of callServerStream(client, 'watchPolicy', {}, { signal, timeoutMs: watchMs })) {
          if (isTold) log.info({ version: Number(message.policyVersion) }, 'the learner is there again');
          isTold = false;
          backoff.reset();
          this.#told(toldVersion(message, stream));
        }
      } catch (error) {
        problem = error;
      }
      standing.broke();
      if (signal.aborted) return;
      if (problem !== undefined && !isTold) {
        log.warn({ err: problem }, 'the learner cannot be followed; the last policy is served until it can');
        isTold = true;
      }
      await this.#pause(backoff);
    }
  }

  #told(told: ToldVersion): void {
    const wasAt = this.#wanted;
    this.#wanted = this.#parts.standing.told(told) ? told : undefined;
    if (told.version === 0 && wasAt?.stream !== told.stream) this.#parts.log.warn('the learner has no policy');
    if (this.#wanted !== undefined && !this.#isFetching) this.#fetching = this.#fetchWanted();
  }

  async #fetchWanted(): Promise<void> {
    const { signal } = this.#stop;
    const backoff = new Backoff();
    this.#isFetching = true;
    while (this.#wanted !== undefined && !signal.aborted) {
      const wanted = this.#wanted;
      this.#wanted = undefined;
      if (this.#parts.standing.isTaken(wanted)) continue;
      if (await this.#fetched(wanted)) {
        backoff.reset();
        continue;
      }
      await this.#pause(backoff);
      if (wanted.stream === this.#streams) this.#wanted ??= wanted; // a new stream tells what it has
    }
    this.#isFetching = false; // in the tick in which nothing was wanted any more
  }

  /** False when it failed. */
  async #fetched(wanted: ToldVersion): Promise<boolean> {
    const { standing, onFetched, log } = this.#parts;
    try {
      const policy = await this.#parts.take(await this.#fetch());
      this.#isDoubtful = false;
      const { policyVersion, iteration } = policy;
      const isOlder = standing.took(policyVersion, wanted);
      if (isOlder) log.warn({ policyVersion }, 'the learner went back to an older version, which is served now');
      else log.debug({ policyVersion, iteration }, 'policy taken');
      onFetched(isOlder ? 'older' : 'taken', policy);
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      this.#isDoubtful = true;
      log.warn({ err: error, version: wanted.version }, 'the policy was not fetched; it is tried again');
      onFetched('failed');
      return false;
    }
  }

  #fetch(): Promise<Uint8Array> {
    const { client, maxCheckpointBytes, revision } = this.#parts;
    const since = this.#isDoubtful ? undefined : revision();
    const { signal } = this.#stop;
    const request = { servingOnly: true, ...(since === undefined ? {} : { since }) };
    const chunks = callServerStream(client, 'exportCheckpoint', request, { signal, timeoutMs: fetchMs });
    return collectBytes(chunks, maxCheckpointBytes);
  }

  async #pause(backoff: Backoff): Promise<void> {
    await delay(backoff.next(), undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

function toldVersion({ policyVersion, updatedAt }: WatchPolicyResponseOutput, stream: number): ToldVersion {
  const { seconds = '0', nanos = 0 } = updatedAt ?? {};
  return { version: Number(policyVersion), updatedAt: `${seconds}.${nanos}`, stream };
}
