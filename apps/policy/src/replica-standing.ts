/** A version as a learner tells of it. */
export interface ToldVersion {
  readonly version: number;
  /** When it came to be, as text. With the version it names a policy: a learner that was started again tells another time. */
  readonly updatedAt: string;
  /** The stream that told of it, counted from 1. */
  readonly stream: number;
}

/** A policy that was taken; `updatedAt` is unknown until the learner tells of the version. */
interface TakenVersion {
  readonly version: number;
  readonly updatedAt: string | undefined;
  readonly stream: number;
}

/** Versions not served whose time is kept; of more, the later ones are forgotten. */
const maxUnserved = 256;

/**
 * Where a replica stands to its learner. Within one stream versions only grow. A new stream may come from a learner that
 * lost its state, and then a number says nothing: the same policy has the same number and the same time.
 */
export class ReplicaStanding {
  readonly #now: () => number;
  #taken: TakenVersion | undefined;
  #newest: ToldVersion | undefined;
  /** Versions told of and not served, oldest first, and since when. */
  #unserved: { readonly version: number; readonly since: number }[] = [];
  /** Since when no stream tells; undefined: one does. */
  #brokenSince: number | undefined;

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#brokenSince = now();
  }

  /** The learner tells of a version. True when it is to be fetched. */
  told(told: ToldVersion): boolean {
    const since = this.#behindSince() ?? this.#now();
    const isFirst = this.#newest?.stream !== told.stream;
    if (isFirst) this.#unserved = [];
    this.#brokenSince = undefined;
    this.#newest = told;
    if (this.isTaken(told)) {
      this.#serves(told.version);
      return false;
    }
    this.#unserved.push({ version: told.version, since: isFirst ? since : this.#now() });
    if (this.#unserved.length > maxUnserved) this.#unserved.splice(1, 1);
    return told.version > 0; // a learner without a policy is at 0
  }

  /** True when what was taken is the version that is told of, or a later one of the same learner. */
  isTaken(told: ToldVersion): boolean {
    const taken = this.#taken;
    if (taken === undefined) return false;
    const isSame = taken.version === told.version && taken.updatedAt === told.updatedAt;
    if (!isSame && (taken.stream !== told.stream || told.version > taken.version)) return false;
    if (taken.version === told.version) this.#taken = { ...told };
    return true;
  }

  /** A policy was taken for a version that was told of; its own may be another. True when it is older than the one before. */
  took(version: number, { stream, ...told }: ToldVersion): boolean {
    const before = this.#taken?.version ?? 0;
    this.#taken = { version, updatedAt: version === told.version ? told.updatedAt : undefined, stream };
    if (stream === this.#newest?.stream) this.#serves(version);
    return version < before;
  }

  /** The first policy did not come from the learner. */
  tookOther(version: number): void {
    this.#taken = { version, updatedAt: undefined, stream: 0 };
  }

  /** The stream ended. */
  broke(): void {
    this.#brokenSince ??= this.#now();
  }

  /** Seconds since which the learner is out of reach or has a version that is not served; 0 when neither holds. */
  lagSeconds(): number {
    const since = this.#behindSince();
    return since === undefined ? 0 : (this.#now() - since) / 1000;
  }

  versionsBehind(): number {
    return Math.max(0, (this.#newest?.version ?? 0) - (this.#taken?.version ?? 0));
  }

  #serves(version: number): void {
    this.#unserved = this.#unserved.filter((each) => each.version > version);
  }

  #behindSince(): number | undefined {
    const oldest = this.#unserved[0]?.since;
    if (oldest === undefined || this.#brokenSince === undefined) return oldest ?? this.#brokenSince;
    return Math.min(oldest, this.#brokenSince);
  }
}
