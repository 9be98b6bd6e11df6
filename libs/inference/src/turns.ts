/**
 * Gives the model to one piece of work at a time, in the order asked. Between two pieces the event loop runs once, so that
 * new calls are seen while long ones are under way: a prefill asks for a turn per chunk, decoding for a turn per step, and
 * so they alternate.
 */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when its turn comes; its error is the caller's and does not disturb the next turn. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(() => new Promise((resolve) => setImmediate(resolve))).then(work);
    this.last = turn.catch(() => {});
    return turn;
  }
}
