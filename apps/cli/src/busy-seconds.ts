import type { Peers } from '@a2sf/training';

/** What a store is computed by. */
type Sources = Pick<Peers, 'encode' | 'sweep' | 'score'>;

/** Stages of a build, as a run names them. */
const stageOf = { encode: 'encode', sweep: 'generate', score: 'score' } as const;
type Stage = (typeof stageOf)[keyof typeof stageOf];

/** Seconds in which at least one call of a stage was in work; those of different stages overlap. */
export class BusySeconds {
  readonly #stages: Record<Stage, { inWork: number; since: number; seconds: number }>;

  constructor(private readonly now: () => number = () => performance.now() / 1000) {
    const idle = () => ({ inWork: 0, since: 0, seconds: 0 });
    this.#stages = { encode: idle(), generate: idle(), score: idle() };
  }

  /** The same services, with their calls counted. */
  of({ encode, sweep, score }: Sources): Sources {
    return {
      encode: (...args) => this.#during(stageOf.encode, () => encode(...args)),
      sweep: (...args) => this.#during(stageOf.sweep, () => sweep(...args)),
      score: (...args) => this.#during(stageOf.score, () => score(...args)),
    };
  }

  /** `encode 1.2 s, generate 34.5 s, score 0.1 s` */
  toString(): string {
    const entries = Object.entries(this.#stages);
    return entries.map(([name, { seconds }]) => `${name} ${seconds.toFixed(1)} s`).join(', ');
  }

  async #during<T>(stage: Stage, call: () => Promise<T>): Promise<T> {
    const own = this.#stages[stage];
    if (own.inWork++ === 0) own.since = this.now();
    try {
      return await call();
    } finally {
      if (--own.inWork === 0) own.seconds += this.now() - own.since;
    }
  }
}
