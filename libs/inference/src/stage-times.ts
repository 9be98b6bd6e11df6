/** A stretch of a call, in milliseconds before its answer was made: `from >= to >= 0`. The clocks of threads are not compared. */
export interface StageTime {
  readonly from: number;
  readonly to: number;
}

/** When a prompt was read, what is kept of it selected, and the text or texts decoded (with the scores, where asked for). */
export interface StageTimes {
  readonly prefill: StageTime;
  readonly selection: StageTime;
  readonly decode: StageTime;
}

/** Moments between the stages, by `performance.now()`. */
export interface ReadMoments {
  readonly begun: number;
  readonly filled: number;
  readonly selected: number;
}

/** The stages of a call whose answer is made now. */
export function stageTimes({ begun, filled, selected }: ReadMoments, decoding: number): StageTimes {
  const now = performance.now();
  return {
    prefill: { from: now - begun, to: now - filled },
    selection: { from: now - filled, to: now - selected },
    decode: { from: now - decoding, to: 0 },
  };
}
