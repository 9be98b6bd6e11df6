import { A2sfError, isA2sfError } from '@a2sf/errors';
import type { CheckpointInput, HyperParameters, StoredSnapshot } from '@a2sf/run-store';
import { checkBounds, type BoundCheck } from './bound-check.js';
import { choose, defaultServing, type SelectInput, type Selection, type Serving } from './choosing.js';
import {
  contentOf,
  exportOf,
  changeSince,
  readPolicy,
  readServed,
  requireFit,
  requireSameSpace,
  type CheckpointExport,
  type Policy,
  type SavedState,
} from './served-policy.js';
import { UpdateLedger, type ExperienceInput, type UpdateInput } from './update-ledger.js';

/** What an update did. */
export interface UpdateAnswer {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly skipped: number;
  readonly policyVersion: number;
  readonly iteration: number;
}

/** An update and what is told of it beside its answer. */
export interface UpdateOutcome {
  readonly answer: UpdateAnswer;
  /** This very update was answered before. */
  readonly replayed: boolean;
  /** Indices of the experiences that were learned from now. */
  readonly applied: readonly number[];
  readonly bounds: BoundCheck;
}

/** An update that was checked against the policy: it was answered before, or is ready to be applied. */
export type PreparedUpdate = { readonly answer: UpdateAnswer } | { readonly apply: () => UpdateOutcome };

/** A policy that was read and not taken yet. */
export interface PreparedImport {
  readonly warnings: readonly string[];
  readonly content: () => SavedState;
  readonly commit: () => void;
}

/** A challenger that was taken. */
export interface ImportedChallenger {
  readonly warnings: readonly string[];
  readonly iteration: number;
}

/** A challenger that was read and not taken yet. */
export interface PreparedChallenger extends ImportedChallenger {
  readonly commit: () => void;
}

/** The served policy. */
export interface PolicyDescription {
  readonly agent: string;
  readonly aValues: readonly number[];
  readonly bValues: readonly number[];
  readonly budgets: readonly number[];
  readonly dimension: number;
  readonly hidden: number;
  readonly encoderId: string;
  readonly hyperParameters: HyperParameters;
  readonly policyVersion: number;
  readonly iteration: number;
  /** 0: there is none. */
  readonly challengerVersion: number;
  /** Name of this state of the policy. */
  readonly revision: string;
}

/** The selections of one call, or why it was refused. */
export type SelectOutcome = { readonly selections: Selection[] } | { readonly error: A2sfError };

const unchecked: BoundCheck = { checked: 0, violated: 0 };

/**
 * The policy and its rules: which contexts fit it, what is learned once only, how versions count. Every method takes and
 * gives plain data, does all its work at once, and changes nothing when it throws.
 */
export class Learner {
  readonly #given: Partial<HyperParameters>;
  readonly #serving: Serving;
  #policy: Policy | undefined;
  #challenger: Policy | undefined;

  /** `given`: the numbers that were set explicitly; they win over a checkpoint's. */
  constructor(given: Partial<HyperParameters>, serving: Serving = defaultServing) {
    this.#given = given;
    this.#serving = serving;
  }

  /** Throws FAILED_PRECONDITION without a policy, for another dimension or another encoder. */
  select(inputs: readonly SelectInput[]): Selection[] {
    const policy = this.#required();
    for (const input of inputs) if (!input.empty) requireFit(policy, input);
    return choose(policy, inputs, this.#serving, this.#challenger);
  }

  /** Several calls of `select` as one, each answered or refused as it would be alone. */
  selectEach(calls: readonly (readonly SelectInput[])[]): SelectOutcome[] {
    const refusals = calls.map((inputs) => this.#refusalOf(inputs));
    const accepted = calls.filter((_, i) => refusals[i] === undefined);
    const selections = accepted.length === 0 ? [] : this.select(accepted.flat());
    let next = 0;
    return calls.map((inputs, i) => {
      const error = refusals[i];
      return error === undefined ? { selections: selections.slice(next, (next += inputs.length)) } : { error };
    });
  }

  /** Learns from the experiences that were not applied before; nothing changes when there are none. */
  update(update: UpdateInput): UpdateOutcome {
    const prepared = this.prepareUpdate(update);
    return 'answer' in prepared ? repeatedUpdate(prepared.answer) : prepared.apply();
  }

  /**
   * Everything of an update that can be refused is refused here; nothing changes before `apply`. `checksBounds`: see how
   * the rewards lie to the lower bounds of before the step.
   */
  prepareUpdate(update: UpdateInput, { checksBounds = true } = {}): PreparedUpdate {
    const policy = this.#required();
    const before = policy.ledger.answered(update);
    if (before !== undefined) return { answer: before };
    for (const experience of update.experiences) requireExperience(policy, experience);
    const boundBeta = checksBounds ? this.#serving.boundBeta : undefined;
    return { apply: () => applyUpdate(policy, update, boundBeta) };
  }

  /**
   * The bytes of a checkpoint of the policy as it is now; `iteration` is written into it in the place of its own.
   * `servingOnly`: without what only learning needs.
   */
  exportCheckpoint(iteration?: number, servingOnly = false): Uint8Array {
    const { byteLength, parts, release } = this.beginExport(iteration, servingOnly);
    const bytes = new Uint8Array(byteLength);
    let at = 0;
    for (const part of parts()) {
      bytes.set(part, at);
      at += part.byteLength;
    }
    release();
    return bytes;
  }

  /** The same a part at a time, while the policy goes on. */
  beginExport(iteration?: number, servingOnly = false): CheckpointExport {
    return exportOf(this.#required(), iteration, servingOnly);
  }

  /** For a replica that has the policy of a revision: what changed since, or, where that is not known, the whole of it. */
  exportServed(since?: string): Uint8Array {
    const change = since === undefined ? undefined : changeSince(this.#required(), since);
    return change ?? this.exportCheckpoint(undefined, true);
  }

  /**
   * Takes a policy to choose with only, as it is: whatever its version and its action space; or what changed in the present
   * one. Throws DATA_LOSS, FAILED_PRECONDITION for what changed in another.
   */
  adopt(input: CheckpointInput, file: string): PolicyDescription {
    this.#policy = readServed(input, file, this.#given, this.#policy);
    return this.describe()!;
  }

  /**
   * Replaces the policy; what earlier updates applied is forgotten with it. Its version is the checkpoint's, or one more
   * than the present one where that is higher. Throws DATA_LOSS for a damaged file, FAILED_PRECONDITION for another
   * action space than that of the policy it replaces.
   */
  importCheckpoint(input: CheckpointInput, file: string): { readonly warnings: readonly string[] } {
    const { warnings, commit } = this.prepareImport(input, file);
    commit();
    return { warnings };
  }

  /** An import up to the point where the policy is replaced. */
  prepareImport(input: CheckpointInput, file: string): PreparedImport {
    const { policy, warnings } = readPolicy(input, file, this.#given);
    if (this.#policy !== undefined) requireSameSpace(file, this.#policy, policy);
    return { warnings, ...this.#replacement(policy) };
  }

  /**
   * Loads a challenger beside the policy, in the place of the one before. Throws as `importCheckpoint` does, and
   * FAILED_PRECONDITION where there is no policy to challenge.
   */
  importChallenger(input: CheckpointInput, file: string): ImportedChallenger {
    const { warnings, iteration, commit } = this.prepareChallenger(input, file, true);
    commit();
    return { warnings, iteration };
  }

  /** `learns` false: the challenger can be asked and not promoted without its bytes; it takes a third of the memory. */
  prepareChallenger(input: CheckpointInput, file: string, learns: boolean): PreparedChallenger {
    const present = this.#required();
    const { policy, warnings } = readPolicy(input, file, this.#given, { learns });
    requireSameSpace(file, present, policy);
    return { warnings, iteration: policy.iteration, commit: () => void (this.#challenger = policy) };
  }

  /** Makes the challenger the policy, as an import of it would. Throws FAILED_PRECONDITION when there is none. */
  promoteChallenger(): void {
    this.preparePromotion().commit();
  }

  /** `input`: the bytes of a challenger that was loaded to be asked only. */
  preparePromotion(input?: CheckpointInput): Omit<PreparedImport, 'warnings'> {
    const challenger = this.#challenger;
    if (challenger === undefined) throw noChallenger();
    const file = 'challenger';
    const policy = input === undefined ? { ...challenger } : readPolicy(input, file, this.#given).policy;
    requireSameSpace(file, this.#required(), policy);
    const { content, commit } = this.#replacement(policy);
    return {
      content,
      commit: () => {
        commit();
        this.#challenger = undefined;
      },
    };
  }

  /** All that `restore` needs to come back to this very state. */
  save(): SavedState {
    return contentOf(this.#required());
  }

  /** Takes a saved state as it was, its hyper-parameters too. Throws DATA_LOSS when it is damaged. */
  restore({ policy: input, ledger }: StoredSnapshot, file: string): void {
    const { policy } = readPolicy(input, file, {});
    this.#policy = { ...policy, ledger: UpdateLedger.load(ledger) };
  }

  /** The numbers in force; undefined while no checkpoint is loaded. */
  get hyperParameters(): HyperParameters | undefined {
    return this.#policy?.hyperParameters;
  }

  /** Puts other numbers in force. */
  steer(hyperParameters: HyperParameters): void {
    this.#required().hyperParameters = hyperParameters;
  }

  /** Puts the numbers that were given explicitly in force; true when that changed one. */
  steerAsGiven(): boolean {
    const policy = this.#required();
    const before = policy.hyperParameters;
    policy.hyperParameters = { ...before, ...this.#given };
    const keys = Object.keys(before) as (keyof HyperParameters)[];
    return keys.some((key) => policy.hyperParameters[key] !== before[key]);
  }

  /** Undefined while no checkpoint is loaded. */
  describe(): PolicyDescription | undefined {
    if (this.#policy === undefined) return undefined;
    const { agent, agentName, origin, hyperParameters, version: policyVersion, iteration, changes } = this.#policy;
    const { aValues, bValues, budgets } = agent.space;
    const { dimension, hidden } = agent;
    const { encoderId } = origin;
    return {
      agent: agentName,
      aValues,
      bValues,
      budgets,
      dimension,
      hidden,
      encoderId,
      hyperParameters,
      policyVersion,
      iteration,
      challengerVersion: this.#challenger?.version ?? 0,
      revision: changes.revision(policyVersion),
    };
  }

  #replacement(policy: Policy): Omit<PreparedImport, 'warnings'> {
    if (this.#policy !== undefined) policy.version = Math.max(policy.version, this.#policy.version + 1);
    return { content: () => contentOf(policy), commit: () => void (this.#policy = policy) };
  }

  #refusalOf(inputs: readonly SelectInput[]): A2sfError | undefined {
    try {
      const policy = this.#required();
      for (const input of inputs) if (!input.empty) requireFit(policy, input);
      return undefined;
    } catch (error) {
      if (isA2sfError(error)) return error;
      throw error;
    }
  }

  #required(): Policy {
    if (this.#policy !== undefined) return this.#policy;
    throw new A2sfError(
      'FAILED_PRECONDITION',
      'the policy has no checkpoint: start it with --checkpoint or import one',
      {
        reason: 'no-checkpoint',
      },
    );
  }
}

/** The outcome of an update that was answered before. */
export function repeatedUpdate(answer: UpdateAnswer): UpdateOutcome {
  return { answer, replayed: true, applied: [], bounds: unchecked };
}

/** FAILED_PRECONDITION: nothing can be promoted. */
export function noChallenger(): A2sfError {
  const message = 'there is no challenger: import a checkpoint with `challenger` set';
  return new A2sfError('FAILED_PRECONDITION', message, { reason: 'no-challenger' });
}

function requireExperience(policy: Policy, experience: ExperienceInput): void {
  const { field, actionIndex, rewards } = experience;
  const { space } = policy.agent;
  requireFit(policy, { ...experience, field: `${field}.embedding` });
  if (rewards === undefined) {
    space.at(actionIndex, `${field}.action_index`);
  } else if (rewards.length !== space.size) {
    const problem = `must hold one number for each of the ${space.size} actions, holds ${rewards.length}`;
    throw A2sfError.invalid(`${field}.rewards`, problem);
  }
}

function applyUpdate(policy: Policy, update: UpdateInput, boundBeta: number | undefined): UpdateOutcome {
  const applied = [...update.experiences.keys()].filter((i) => !policy.ledger.hasApplied(update.experiences[i]!.id));
  const fresh = applied.map((i) => update.experiences[i]!);
  const bounds = boundBeta === undefined ? unchecked : checkBounds(policy.agent, fresh, boundBeta);
  const report = fresh.length === 0 ? { loss: 0, gradientNorm: 0 } : learn(policy, fresh);
  if (fresh.length > 0) {
    policy.version++;
    policy.iteration++;
    policy.changes.record(policy.version, policy.agent.takeSteps());
  }
  const skipped = update.experiences.length - fresh.length;
  const { version: policyVersion, iteration } = policy;
  const answer = { ...report, skipped, policyVersion, iteration };
  policy.ledger.record(update, answer);
  return { answer, replayed: false, applied, bounds };
}

/** All experiences have the rewards of all actions, or none has: the request was checked for it. */
function learn({ agent, hyperParameters }: Policy, fresh: readonly ExperienceInput[]) {
  const full = fresh.flatMap(({ context, key, rewards }) =>
    rewards === undefined ? [] : [{ context, rewards, ...(key === undefined ? {} : { key }) }],
  );
  if (full.length > 0) return agent.updateFull(full, hyperParameters);
  return agent.update(
    fresh.map(({ context, actionIndex, reward, key }) => ({
      context,
      actionIndex,
      reward,
      ...(key === undefined ? {} : { key }),
    })),
    hyperParameters,
  );
}
