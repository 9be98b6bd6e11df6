import type { CheckpointExport } from './served-policy.js';

interface OpenExport {
  readonly parts: Iterator<Uint8Array>;
  readonly release: () => void;
}

/** Checkpoints that are sent a part at a time while the policy goes on. */
export class OpenExports {
  readonly #open = new Map<number, OpenExport>();
  #next = 1;

  /** Its number. */
  begin({ parts, release }: CheckpointExport): number {
    this.#open.set(this.#next, { parts: parts(), release });
    return this.#next++;
  }

  /** The next bytes, in a buffer of their own, maybe none; undefined at the end. */
  part(id: number): Uint8Array | undefined {
    const { done, value } = this.#open.get(id)!.parts.next();
    return done === true ? undefined : Uint8Array.prototype.slice.call(value);
  }

  /** Safe to call twice. */
  end(id: number): void {
    this.#open.get(id)?.release();
    this.#open.delete(id);
  }
}
