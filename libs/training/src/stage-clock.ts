import { inSpan } from '@a2sf/observability';

/** The stages of a run, as metrics and progress lines name them. */
export const stages = ['encode', 'select', 'generate', 'score', 'update', 'evaluate', 'checkpoint'] as const;
export type Stage = (typeof stages)[number];

/** Seconds spent per stage. */
export type StageSeconds = Readonly<Partial<Record<Stage, number>>>;

/** Measures stages by the monotonic clock and adds up repeated ones; each is a span of the trace, where there is one. */
export class StageClock {
  readonly #seconds: Partial<Record<Stage, number>> = {};

  /** Runs a stage; its time counts also when it fails. */
  async time<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await inSpan(stage, {}, work);
    } finally {
      this.#seconds[stage] = (this.#seconds[stage] ?? 0) + (performance.now() - start) / 1000;
    }
  }

  get seconds(): StageSeconds {
    return this.#seconds;
  }
}
