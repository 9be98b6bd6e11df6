/** Steps M_a -= w w' of matrices, in their order. */
export interface MatrixSteps {
  /** a of each; -1: of every matrix that is kept, once. */
  readonly actions: readonly number[];
  /** w of each. */
  readonly vectors: readonly Float64Array[];
}

/** Collects what additions do to the matrices, until it is taken. */
export class StepLog {
  #actions: number[] = [];
  #vectors: Float64Array[] = [];
  #isWhole = true;

  /** Steps of one action, or of all that share one matrix. */
  of(action: number): { took(w: Float64Array): void; breaks(): void } {
    return {
      took: (w) => {
        this.#actions.push(action);
        this.#vectors.push(w);
      },
      breaks: () => this.breaks(),
    };
  }

  /** Something was changed otherwise. */
  breaks(): void {
    this.#isWhole = false;
  }

  /**
   * All since the last call; undefined where steps do not tell what was changed. The vectors are copied into one array:
   * hundreds of small ones that live on would keep an allocator from giving back what lay between them.
   */
  take(): MatrixSteps | undefined {
    const steps = { actions: this.#actions, vectors: inOneArray(this.#vectors) };
    const isWhole = this.#isWhole;
    this.#actions = [];
    this.#vectors = [];
    this.#isWhole = true;
    return isWhole ? steps : undefined;
  }
}

function inOneArray(vectors: readonly Float64Array[]): Float64Array[] {
  const all = new Float64Array(vectors.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  return vectors.map((vector) => {
    all.set(vector, at);
    at += vector.length;
    return all.subarray(at - vector.length, at);
  });
}
