import { randomBytes } from 'node:crypto';
import type { MatrixSteps } from '@a2sf/bandit';

/** Updates that are remembered: a replica asks for what came since the policy before the one it serves. */
const maxUpdates = 8;

/**
 * What the last updates of a policy did to its matrices. A revision `<epoch>/<version>` names a state of it: the epoch is
 * drawn anew whenever a policy is loaded, so that a version of another life of the learner is not taken for one of this.
 */
export class ChangeLog {
  readonly #epoch: string;
  #updates: { readonly version: number; readonly steps: MatrixSteps | undefined }[] = [];

  /** `revision`: that of the policy where it was told. */
  constructor(revision?: string) {
    this.#epoch = revision?.split('/')[0] ?? randomBytes(8).toString('hex');
  }

  revision(version: number): string {
    return `${this.#epoch}/${version}`;
  }

  /** An update led to a version. */
  record(version: number, steps: MatrixSteps | undefined): void {
    this.#updates.push({ version, steps });
    if (this.#updates.length > maxUpdates) this.#updates.shift();
  }

  /** The steps from a revision to a version; undefined where they are not known. */
  since(revision: string, version: number): MatrixSteps[] | undefined {
    const first = this.#updates.findIndex((each) => this.revision(each.version - 1) === revision);
    if (first < 0 || this.#updates.at(-1)!.version !== version) return undefined;
    const steps = this.#updates.slice(first).map((each) => each.steps);
    return steps.every((each) => each !== undefined) ? steps : undefined;
  }
}
