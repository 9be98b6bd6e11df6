import { setImmediate } from 'node:timers/promises';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import {
  failpoint,
  RecordLog,
  removeLeftovers,
  SnapshotFolder,
  snapshotName,
  type CheckpointInput,
} from '@a2sf/run-store';
import { ChallengerFile } from './challenger-file.js';
import type { SelectInput, Selection } from './choosing.js';
import {
  noChallenger,
  repeatedUpdate,
  type ImportedChallenger,
  type Learner,
  type PolicyDescription,
  type PreparedImport,
  type SelectOutcome,
  type UpdateOutcome,
} from './learner.js';
import type { CheckpointExport, SavedState } from './served-policy.js';
import type { UpdateInput } from './update-ledger.js';
import { decodeUpdate, encodeUpdate } from './update-record.js';
import { releaseShortLived } from './release-memory.js';

/** Where a learner is kept, and how often it is written whole. */
export interface DurableOptions {
  /** The caller holds its lock. */
  readonly folder: string;
  /** A snapshot is made after so many updates... */
  readonly snapshotUpdates: number;
  /** ...or so many bytes of log. */
  readonly snapshotLogBytes: number;
}

/** What was found in the folder at the start. */
export interface Recovery {
  /** Sequence of the snapshot that was loaded; 0: there was none. */
  readonly snapshot: number;
  readonly replayed: number;
  readonly recordsCut: number;
  readonly warnings: readonly string[];
}

/** What happens beside the answers to calls. */
export type DurableEvent =
  | { readonly kind: 'snapshot'; readonly sequence: number }
  | { readonly kind: 'snapshot-failed'; readonly problem: string };

/** A snapshot that failed is tried again after this share of the usual distance. */
const retryShare = 0.1;

/**
 * A learner of which nothing acknowledged is lost: an update is in the log, on the disk, before it is applied and
 * answered; an imported policy is a snapshot before it is. Updates and imports are done one after the other; actions are
 * chosen meanwhile. The log holds what was decided, the learner is deterministic, so a replay comes to the same bytes.
 */
export class DurableLearner {
  readonly #learner: Learner;
  readonly #options: DurableOptions;
  readonly #log: RecordLog;
  readonly #snapshots: SnapshotFolder;
  readonly #challenger: ChallengerFile;
  readonly #notify: (event: DurableEvent) => void;
  /** Ascending sequences of the snapshots that can be relied on. */
  #kept: number[];
  #updatesSince: number;
  #bytesSince: number;
  /** An import that failed may have left its snapshot, which must go before anything else is written. */
  #undo: number | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #background: Promise<void> = Promise.resolve();
  #isSnapshotting = false;

  private constructor(parts: {
    readonly learner: Learner;
    readonly options: DurableOptions;
    readonly log: RecordLog;
    readonly snapshots: SnapshotFolder;
    readonly kept: readonly number[];
    readonly updatesSince: number;
    readonly bytesSince: number;
    readonly notify: (event: DurableEvent) => void;
  }) {
    this.#learner = parts.learner;
    this.#options = parts.options;
    this.#log = parts.log;
    this.#snapshots = parts.snapshots;
    this.#challenger = new ChallengerFile(parts.options.folder);
    this.#kept = [...parts.kept];
    this.#updatesSince = parts.updatesSince;
    this.#bytesSince = parts.bytesSince;
    this.#notify = parts.notify;
  }

  /**
   * Brings a new learner to the state that the folder holds: the newest whole snapshot, then the log. Throws DATA_LOSS
   * where something acknowledged cannot be had back, FAILED_PRECONDITION for a newer format.
   */
  static async open(
    learner: Learner,
    options: DurableOptions,
    notify: (event: DurableEvent) => void,
  ): Promise<{ readonly durable: DurableLearner; readonly recovery: Recovery }> {
    const { folder } = options;
    await removeLeftovers(folder, { locked: true });
    const snapshots = new SnapshotFolder(folder);
    const sequences = await snapshots.sequences();
    const warnings: string[] = [];
    let snapshot = 0;
    const damaged: number[] = [];
    for (const sequence of sequences.toReversed()) {
      try {
        learner.restore(await snapshots.read(sequence), snapshotName(sequence));
        snapshot = sequence;
        break;
      } catch (error) {
        if (!isA2sfError(error) || error.code !== 'DATA_LOSS') throw error;
        warnings.push(`${error.message}; the one before it is taken`);
        damaged.push(sequence);
      }
    }
    if (snapshot === 0 && damaged.length > 0) {
      const message = `${damaged.map(snapshotName).join(', ')}: damaged, and there is no other`;
      throw new A2sfError('DATA_LOSS', message, { field: 'state_dir', reason: 'damaged-snapshot' });
    }
    const { log, recovery } = await RecordLog.open(folder, {
      after: snapshot,
      reserved: new Set(sequences),
      replay: (payload) => {
        const { update, hyperParameters } = decodeUpdate(payload);
        learner.steer(hyperParameters);
        const prepared = learner.prepareUpdate(update, { checksBounds: false });
        if ('apply' in prepared) prepared.apply();
        releaseShortLived(); // many updates in a row, with no pause between
      },
    });
    const durable = new DurableLearner({
      learner,
      options,
      log,
      snapshots,
      kept: sequences.filter((sequence) => sequence <= snapshot),
      updatesSince: recovery.replayed,
      bytesSince: recovery.bytes,
      notify,
    });
    const { replayed, cut: recordsCut } = recovery;
    if (recordsCut > 0) warnings.push('the last record of the log was torn and is cut off; it was never acknowledged');
    if (snapshot > 0 && (learner.steerAsGiven() || damaged.length > 0)) await durable.#snapshotNow();
    warnings.push(...(await durable.#loadChallenger(snapshot)));
    return { durable, recovery: { snapshot, replayed, recordsCut, warnings } };
  }

  select(inputs: readonly SelectInput[]): Selection[] {
    return this.#learner.select(inputs);
  }

  selectEach(calls: readonly (readonly SelectInput[])[]): SelectOutcome[] {
    return this.#learner.selectEach(calls);
  }

  exportCheckpoint(iteration?: number, servingOnly?: boolean): Uint8Array {
    return this.#learner.exportCheckpoint(iteration, servingOnly);
  }

  exportServed(since?: string): Uint8Array {
    return this.#learner.exportServed(since);
  }

  beginExport(iteration?: number, servingOnly?: boolean): CheckpointExport {
    return this.#learner.beginExport(iteration, servingOnly);
  }

  describe(): PolicyDescription | undefined {
    return this.#learner.describe();
  }

  /** As the learner's. Throws RESOURCE_EXHAUSTED or UNAVAILABLE, with nothing changed, when the log cannot be written. */
  update(update: UpdateInput): Promise<UpdateOutcome> {
    return this.#next(async () => {
      const prepared = this.#learner.prepareUpdate(update);
      if ('answer' in prepared) return repeatedUpdate(prepared.answer);
      const payload = encodeUpdate({ update, hyperParameters: this.#learner.hyperParameters! });
      this.#bytesSince += await this.#written(() => this.#log.append(payload));
      await failpoint('update-before-apply');
      let outcome: UpdateOutcome;
      try {
        outcome = prepared.apply();
      } catch (error) {
        await this.#log.dropLast(); // the agent changed nothing, and neither will a replay
        throw error;
      }
      await failpoint('update-after-apply');
      this.#updatesSince++;
      this.#snapshotWhenDue();
      return outcome;
    });
  }

  /** As the learner's. Throws RESOURCE_EXHAUSTED or UNAVAILABLE, with nothing changed, when it cannot be written. */
  importCheckpoint(input: CheckpointInput, file: string): Promise<{ readonly warnings: readonly string[] }> {
    return this.#next(async () => {
      const { warnings, content, commit } = this.#learner.prepareImport(input, file);
      await this.#replace({ content, commit });
      return { warnings };
    });
  }

  /** As the learner's; the checkpoint is kept on the disk, and of it in memory what asking it needs. Throws as an import. */
  importChallenger(input: CheckpointInput, file: string): Promise<ImportedChallenger> {
    return this.#next(async () => {
      const { warnings, iteration, commit } = this.#learner.prepareChallenger(input, file, false);
      await this.#written(() => this.#challenger.write(input));
      commit();
      return { warnings, iteration };
    });
  }

  /** As the learner's; a snapshot of the promoted policy is on the disk before it is answered. Throws as an import. */
  promoteChallenger(): Promise<void> {
    return this.#next(async () => {
      const input = await this.#challenger.find();
      if (input === undefined) throw noChallenger();
      const promotion = this.#learner.preparePromotion(input);
      const sequence = await this.#replace(promotion, {
        begin: (next) => this.#challenger.begin(next),
        abort: (next) => this.#challenger.abort(next),
      });
      await this.#challenger.finish(sequence).catch(() => undefined); // the next start does it
    });
  }

  /** Waits for what was begun and closes the files. */
  close(): Promise<void> {
    return this.#next(async () => {
      await this.#background;
      await this.#log.close();
    });
  }

  /**
   * Another policy in the place of the present one: a snapshot, then the commit. Its sequence. `begin` is done before the
   * snapshot, `abort` when there is none.
   */
  async #replace(
    { content, commit }: Omit<PreparedImport, 'warnings'>,
    aside?: { begin(sequence: number): Promise<void>; abort(sequence: number): Promise<void> },
  ): Promise<number> {
    await this.#background;
    // The snapshot has a sequence of its own, so that no earlier one is ever replayed across it.
    const sequence = this.#log.next;
    await this.#written(async () => {
      const segment = await this.#log.prepareSegment(1);
      let begun = false;
      try {
        await aside?.begin(sequence);
        begun = true;
        const saved = content();
        await this.#snapshots.write(sequence, saved).finally(saved.release);
      } catch (error) {
        this.#undo = sequence;
        await this.#settle().catch(() => undefined); // tried again before the next write
        if (begun) await aside?.abort(sequence).catch(() => undefined); // else the next start does it
        await segment.abort({ keepFile: this.#undo !== undefined });
        throw error;
      }
      await segment.commit();
    });
    commit();
    this.#updatesSince = this.#bytesSince = 0;
    await this.#keep(sequence);
    return sequence;
  }

  /** What there is to warn of; a challenger that cannot be loaded is left where it is. */
  async #loadChallenger(snapshot: number): Promise<string[]> {
    try {
      await this.#challenger.recover(snapshot);
      const input = await this.#challenger.find();
      if (input === undefined) return [];
      const { warnings, commit } = this.#learner.prepareChallenger(input, 'challenger', false);
      commit();
      return [...warnings];
    } catch (error) {
      return [`the challenger is not loaded: ${error instanceof Error ? error.message : String(error)}`];
    }
  }

  #next<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation, operation);
    this.#last = result;
    return result;
  }

  async #written<T>(write: () => Promise<T>): Promise<T> {
    try {
      await this.#settle();
      return await write();
    } catch (error) {
      throw notWritten(error);
    }
  }

  async #settle(): Promise<void> {
    if (this.#undo === undefined) return;
    await this.#snapshots.remove([this.#undo]);
    this.#undo = undefined;
  }

  #snapshotWhenDue(): void {
    const { snapshotUpdates, snapshotLogBytes } = this.#options;
    if (this.#isSnapshotting) return;
    if (this.#updatesSince < snapshotUpdates && this.#bytesSince < snapshotLogBytes) return;
    this.#isSnapshotting = true;
    void this.#next(async () => {
      await setImmediate(); // the answer of the update goes first
      await this.#beginSnapshot();
    });
  }

  async #snapshotNow(): Promise<void> {
    await this.#beginSnapshot();
    await this.#background;
  }

  /** Takes the state as it is and starts a new segment; the writing goes on while updates are done. Never throws. */
  async #beginSnapshot(): Promise<void> {
    this.#isSnapshotting = true;
    const sequence = this.#log.next - 1;
    try {
      await this.#settle();
      const segment = await this.#log.prepareSegment();
      await segment.commit();
      this.#updatesSince = this.#bytesSince = 0;
      this.#background = this.#writeSnapshot(sequence, this.#learner.save());
    } catch (error) {
      this.#failed(error);
      this.#isSnapshotting = false;
    }
  }

  async #writeSnapshot(sequence: number, content: SavedState): Promise<void> {
    try {
      await this.#snapshots.write(sequence, content);
      await this.#keep(sequence);
    } catch (error) {
      this.#failed(error);
    } finally {
      content.release();
      this.#isSnapshotting = false;
    }
  }

  #failed(error: unknown): void {
    const { snapshotUpdates, snapshotLogBytes } = this.#options;
    this.#updatesSince = Math.floor(snapshotUpdates * (1 - retryShare));
    this.#bytesSince = Math.floor(snapshotLogBytes * (1 - retryShare));
    this.#notify({ kind: 'snapshot-failed', problem: error instanceof Error ? error.message : String(error) });
  }

  /** A snapshot is on the disk: it and the one before it stay, with the log behind that one. Never throws. */
  async #keep(sequence: number): Promise<void> {
    this.#kept = [...this.#kept.filter((each) => each !== sequence), sequence].slice(-2);
    this.#notify({ kind: 'snapshot', sequence });
    try {
      const all = await this.#snapshots.sequences();
      await this.#snapshots.remove(all.filter((each) => !this.#kept.includes(each)));
      if (this.#kept.length > 1) await this.#log.removeUpTo(this.#kept[0]!);
    } catch (error) {
      this.#notify({ kind: 'snapshot-failed', problem: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Nothing was changed; the client may try again, when there is space or at once. */
function notWritten(cause: unknown): A2sfError {
  if (isA2sfError(cause) && cause.reason === 'disk-full') return cause;
  const problem = cause instanceof Error ? cause.message : String(cause);
  const message = `the policy cannot be written, nothing was changed: ${problem}`;
  return new A2sfError('UNAVAILABLE', message, { field: 'state_dir', reason: 'state-not-written', cause });
}
