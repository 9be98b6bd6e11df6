import { maxBeta, restoreAgent, type Agent } from '@a2sf/bandit';
import { A2sfError } from '@a2sf/errors';
import {
  decodePolicyCheckpoint,
  encodePolicyCheckpoint,
  type HyperParameters,
  type PolicyCheckpoint,
  type SnapshotContent,
} from '@a2sf/run-store';
import { UpdateLedger, type ExperienceInput, type UpdateInput } from './update-ledger.js';

/** The numbers that steer learning where a checkpoint does not tell them. */
export const defaultHyperParameters: HyperParameters = { lr: 3e-4, ucbBeta: 1, uncertaintyCoef: 0.1, maxGradNorm: 1 };

/** A prompt to choose for. */
export interface SelectInput {
  /** Path of the context in its request, for errors. */
  readonly field: string;
  readonly context: Float32Array;
  readonly encoderId: string;
  /** The prompt was blank: the default action is the answer. */
  readonly empty: boolean;
  readonly explore: boolean;
  /** Weight of exploration; undefined: the policy's. */
  readonly beta: number | undefined;
}

/** An action and the grounds it was chosen on. */
export interface Selection {
  readonly actionIndex: number;
  readonly a: number;
  readonly b: number;
  readonly prediction: number;
  readonly uncertainty: number;
  readonly ucb: number;
  readonly policyVersion: number;
  readonly useFullCache: boolean;
}

/** What an update did. */
export interface UpdateAnswer {
  readonly loss: number;
  readonly gradientNorm: number;
  readonly skipped: number;
  readonly policyVersion: number;
  readonly iteration: number;
}

/** An update that was checked against the policy: it was answered before, or is ready to be applied. */
export type PreparedUpdate = { readonly answer: UpdateAnswer } | { readonly apply: () => UpdateAnswer };

/** A policy that was read and not taken yet. */
export interface PreparedImport {
  readonly warnings: readonly string[];
  readonly content: () => SnapshotContent;
  readonly commit: () => void;
}

/** The served policy. */
export interface PolicyDescription {
  readonly agent: string;
  readonly aValues: readonly number[];
  readonly bValues: readonly number[];
  readonly dimension: number;
  readonly hidden: number;
  readonly encoderId: string;
  readonly hyperParameters: HyperParameters;
  readonly policyVersion: number;
  readonly iteration: number;
}

/** A policy with all that belongs to it. */
interface Policy {
  readonly agent: Agent;
  readonly agentName: string;
  hyperParameters: HyperParameters;
  /** What the checkpoint told beside the state, and is told again by the next one. */
  readonly origin: Pick<PolicyCheckpoint, 'encoderId' | 'configHash' | 'randomState' | 'seed'>;
  readonly ledger: UpdateLedger<UpdateAnswer>;
  version: number;
  iteration: number;
}

/**
 * The policy and its rules: which contexts fit it, what is learned once only, how versions count. Every method takes and
 * gives plain data, does all its work at once, and changes nothing when it throws.
 */
export class Learner {
  readonly #given: Partial<HyperParameters>;
  #policy: Policy | undefined;

  /** `given`: the numbers that were set explicitly; they win over a checkpoint's. */
  constructor(given: Partial<HyperParameters>) {
    this.#given = given;
  }

  /** Throws FAILED_PRECONDITION without a policy, for another dimension or another encoder. */
  select(inputs: readonly SelectInput[]): Selection[] {
    const policy = this.#required();
    for (const input of inputs) if (!input.empty) requireFit(policy, input);
    const known = inputs.filter((input) => !input.empty);
    const betas = known.map(({ explore, beta }) => (explore ? (beta ?? policy.hyperParameters.ucbBeta) : 0));
    const choices = policy.agent.select(
      known.map(({ context }) => context),
      betas,
    );
    const { space } = policy.agent;
    let next = 0;
    return inputs.map(({ empty }) => {
      const grounds = empty
        ? { actionIndex: space.indexOf({ a: 10, b: 16 }) ?? 0, prediction: 0, uncertainty: 0, ucb: 0 }
        : choices[next++]!;
      const action = space.at(grounds.actionIndex);
      return { ...grounds, ...action, policyVersion: policy.version, useFullCache: empty };
    });
  }

  /**
   * Learns from the experiences that were not applied before; nothing changes when there are none. `replayed`: this very
   * update was answered before.
   */
  update(update: UpdateInput): { readonly answer: UpdateAnswer; readonly replayed: boolean } {
    const prepared = this.prepareUpdate(update);
    if ('answer' in prepared) return { answer: prepared.answer, replayed: true };
    return { answer: prepared.apply(), replayed: false };
  }

  /** Everything of an update that can be refused is refused here; nothing changes before `apply`. */
  prepareUpdate(update: UpdateInput): PreparedUpdate {
    const policy = this.#required();
    const before = policy.ledger.answered(update);
    if (before !== undefined) return { answer: before };
    for (const experience of update.experiences) {
      requireFit(policy, { ...experience, field: `${experience.field}.embedding` });
      policy.agent.space.at(experience.actionIndex, `${experience.field}.action_index`);
    }
    return { apply: () => applyUpdate(policy, update) };
  }

  /** The bytes of a checkpoint of the policy as it is now; `iteration` is written into it in the place of its own. */
  exportCheckpoint(iteration?: number): Uint8Array {
    return encodePolicy(this.#required(), iteration);
  }

  /**
   * Replaces the policy; what earlier updates applied is forgotten with it. Its version is the checkpoint's, or one more
   * than the present one where that is higher. Throws DATA_LOSS for a damaged file, FAILED_PRECONDITION for another
   * action space than that of the policy it replaces.
   */
  importCheckpoint(bytes: Uint8Array, file: string): { readonly warnings: readonly string[] } {
    const { warnings, commit } = this.prepareImport(bytes, file);
    commit();
    return { warnings };
  }

  /** An import up to the point where the policy is replaced. */
  prepareImport(bytes: Uint8Array, file: string): PreparedImport {
    const { policy, warnings } = readPolicy(bytes, file, this.#given);
    const present = this.#policy;
    if (present !== undefined) {
      const { agent } = policy;
      if (!present.agent.space.equals(agent.space)) throw otherSpace(file, present.agent, agent);
      policy.version = Math.max(policy.version, present.version + 1);
    }
    const commit = (): void => void (this.#policy = policy);
    return { warnings, content: () => contentOf(policy), commit };
  }

  /** All that `restore` needs to come back to this very state. */
  save(): SnapshotContent {
    return contentOf(this.#required());
  }

  /** Takes a saved state as it was, its hyper-parameters too. Throws DATA_LOSS when it is damaged. */
  restore({ policy: bytes, ledger }: { readonly policy: Uint8Array; readonly ledger: Uint8Array }, file: string): void {
    const { policy } = readPolicy(bytes, file, {});
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
    const { agent, agentName, origin, hyperParameters, version: policyVersion, iteration } = this.#policy;
    const { aValues, bValues } = agent.space;
    const { dimension, hidden } = agent;
    const { encoderId } = origin;
    return {
      agent: agentName,
      aValues,
      bValues,
      dimension,
      hidden,
      encoderId,
      hyperParameters,
      policyVersion,
      iteration,
    };
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

function applyUpdate(policy: Policy, update: UpdateInput): UpdateAnswer {
  const fresh = update.experiences.filter(({ id }) => !policy.ledger.hasApplied(id));
  const report = fresh.length === 0 ? { loss: 0, gradientNorm: 0 } : policy.agent.update(fresh, policy.hyperParameters);
  if (fresh.length > 0) {
    policy.version++;
    policy.iteration++;
  }
  const skipped = update.experiences.length - fresh.length;
  const { version: policyVersion, iteration } = policy;
  const answer = { ...report, skipped, policyVersion, iteration };
  policy.ledger.record(update, answer);
  return answer;
}

/** A policy of at least version 1, with an empty ledger. */
function readPolicy(
  bytes: Uint8Array,
  file: string,
  given: Partial<HyperParameters>,
): { readonly policy: Policy; readonly warnings: readonly string[] } {
  const { checkpoint, warnings } = decodePolicyCheckpoint(bytes, file);
  const agent = restoreAgent(checkpoint.state);
  const hyperParameters = { ...defaultHyperParameters, ...checkpoint.hyperParameters, ...given };
  requireSane(hyperParameters, file);
  const { encoderId, configHash, randomState, seed } = checkpoint;
  const policy: Policy = {
    agent,
    agentName: checkpoint.state.agent,
    hyperParameters,
    origin: { encoderId, configHash, randomState, ...(seed === undefined ? {} : { seed }) },
    ledger: new UpdateLedger(),
    version: Math.max(checkpoint.policyVersion, 1),
    iteration: checkpoint.iteration,
  };
  return { policy, warnings };
}

function encodePolicy(
  { agent, origin, hyperParameters, version, iteration: own }: Policy,
  iteration = own,
): Uint8Array {
  return encodePolicyCheckpoint({
    ...origin,
    state: agent.state(),
    iteration,
    policyVersion: version,
    hyperParameters,
  });
}

function contentOf(policy: Policy): SnapshotContent {
  return { policy: encodePolicy(policy), ledger: policy.ledger.save() };
}

function requireFit({ agent, origin }: Policy, input: Pick<ExperienceInput, 'field' | 'context' | 'encoderId'>): void {
  const { field, context, encoderId } = input;
  if (encoderId !== '' && origin.encoderId !== '' && encoderId !== origin.encoderId) {
    const problem = `is ${shown(encoderId)}, the policy was trained on ${shown(origin.encoderId)}`;
    const at = `${field}.encoder_id`;
    throw new A2sfError('FAILED_PRECONDITION', `${at}: ${problem}`, { field: at, reason: 'other-encoder' });
  }
  if (context.length !== agent.dimension) {
    const problem = `has ${context.length} numbers, the policy was made for ${agent.dimension}`;
    const at = `${field}.values`;
    throw new A2sfError('FAILED_PRECONDITION', `${at}: ${problem}`, { field: at, reason: 'wrong-dimension' });
  }
}

function otherSpace(file: string, present: Agent, other: Agent): A2sfError {
  const inWords = ({ space }: Agent) => `a [${space.aValues.join(', ')}] x b [${space.bValues.join(', ')}]`;
  const message = `${file}: has the action space ${inWords(other)}, this server was started with ${inWords(present)}`;
  return new A2sfError('FAILED_PRECONDITION', message, { field: 'action_space', reason: 'other-action-space' });
}

function requireSane({ lr, ucbBeta, maxGradNorm }: HyperParameters, file: string): void {
  const problem = [
    lr > 0 ? undefined : 'lr must be positive',
    maxGradNorm > 0 ? undefined : 'max_grad_norm must be positive',
    ucbBeta >= 0 && ucbBeta <= maxBeta ? undefined : `ucb_beta must be in 0..${maxBeta}`,
  ].find((each) => each !== undefined);
  if (problem !== undefined)
    throw new A2sfError('DATA_LOSS', `${file}: metadata ${problem}`, { reason: 'damaged-checkpoint' });
}

/** An identity from outside, safe to print. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
