import { createHash } from 'node:crypto';
import { A2sfError } from '@a2sf/errors';

/** An experience as it reached the policy. */
export interface ExperienceInput {
  /** Path of the experience in its request, for errors. */
  readonly field: string;
  readonly id: string;
  readonly context: Float32Array;
  readonly encoderId: string;
  /** Not read where `rewards` are given. */
  readonly actionIndex: number;
  /** Not read where `rewards` are given. */
  readonly reward: number;
  /** The rewards of all actions; all experiences of an update have them or none has. */
  readonly rewards?: Float32Array;
  /** Name of the prompt's group. */
  readonly key?: string;
}

/** A batch to learn from. */
export interface UpdateInput {
  readonly updateId: string;
  readonly experiences: readonly ExperienceInput[];
}

/** How much is remembered. */
export interface LedgerLimits {
  /** Updates whose answers are remembered. */
  readonly updates: number;
  /** Experiences whose ids are remembered. */
  readonly experiences: number;
}

/** Ids in one line of a saved ledger. */
const idsPerLine = 4096;

interface Entry<Answer> {
  readonly contentHash: string;
  readonly answer: Answer;
}

/**
 * What makes an update safe to repeat: the answers of the last updates by their id, and the ids of the experiences they
 * applied. Of both the oldest are forgotten first; a repetition that comes after that counts as new.
 */
export class UpdateLedger<Answer> {
  readonly #limits: LedgerLimits;
  readonly #updates = new Map<string, Entry<Answer>>();
  readonly #experiences = new Set<string>();

  constructor(limits: LedgerLimits = { updates: 1024, experiences: 1_000_000 }) {
    this.#limits = limits;
  }

  /** The answer that an update got before. Throws INVALID_ARGUMENT when its id was used for other experiences. */
  answered(update: UpdateInput): Answer | undefined {
    const entry = this.#updates.get(update.updateId);
    if (entry === undefined) return undefined;
    if (entry.contentHash !== contentHash(update)) {
      throw A2sfError.invalid('update_id', 'was used for other experiences', 'update-id-reused');
    }
    return entry.answer;
  }

  /** True when an experience of this id was applied by an earlier update. */
  hasApplied(experienceId: string): boolean {
    return this.#experiences.has(experienceId);
  }

  /**
   * The ledger as it is now, as lines of JSON: `[[update id, content hash, answer], ...]`, then lists of experience ids, the
   * oldest first. The lines are made as they are asked for.
   */
  save(): Iterable<Uint8Array> {
    const updates = [...this.#updates].map(([id, { contentHash: hash, answer }]) => [id, hash, answer] as const);
    return encodeLines(updates, [...this.#experiences]);
  }

  /** A saved ledger; the caller has checked that the bytes are those that were saved. */
  static load<Answer>(bytes: Uint8Array): UpdateLedger<Answer> {
    const ledger = new UpdateLedger<Answer>();
    const decoder = new TextDecoder();
    for (let at = 0; at < bytes.length;) {
      const found = bytes.indexOf(0x0a, at); // JSON holds no newline
      const line: unknown = JSON.parse(decoder.decode(bytes.subarray(at, found)));
      if (at === 0) {
        for (const [id, hash, answer] of line as [string, string, Answer][])
          ledger.#updates.set(id, { contentHash: hash, answer });
      } else for (const id of line as string[]) ledger.#experiences.add(id);
      at = found + 1;
    }
    return ledger;
  }

  record(update: UpdateInput, answer: Answer): void {
    this.#updates.set(update.updateId, { contentHash: contentHash(update), answer });
    for (const { id } of update.experiences) this.#experiences.add(id);
    forgetOldest(this.#updates, this.#limits.updates);
    forgetOldest(this.#experiences, this.#limits.experiences);
  }
}

function* encodeLines(updates: readonly unknown[], ids: readonly string[]): Generator<Uint8Array, void, undefined> {
  yield Buffer.from(`${JSON.stringify(updates)}\n`);
  for (let at = 0; at < ids.length; at += idsPerLine) {
    yield Buffer.from(`${JSON.stringify(ids.slice(at, at + idsPerLine))}\n`);
  }
}

/** Maps and sets keep the order of insertion. */
function forgetOldest(collection: Map<string, unknown> | Set<string>, limit: number): void {
  for (const key of collection.keys()) {
    if (collection.size <= limit) return;
    collection.delete(key);
  }
}

/** An update without keys and full rewards hashes as it did before there were any: saved ledgers stay good. */
function contentHash({ experiences }: UpdateInput): string {
  const hash = createHash('sha256');
  for (const { id, context, encoderId, actionIndex, reward, rewards, key } of experiences) {
    const added = rewards === undefined && key === undefined ? [] : [key ?? '', rewards?.length ?? 0];
    hash.update(`${JSON.stringify([id, encoderId, actionIndex, reward, context.length, ...added])}\n`);
    hash.update(bytesOf(context));
    if (rewards !== undefined) hash.update(bytesOf(rewards));
  }
  return hash.digest('base64');
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
