import { maxBeta, maxStepsPerUpdate, restoreAgent, type Agent, type RestoreOptions } from '@a2sf/bandit';
import { A2sfError } from '@a2sf/errors';
import {
  encodePolicyCheckpoint,
  policyCheckpointParts,
  withPolicyCheckpoint,
  type CheckpointInput,
  type CheckpointParts,
  type DecodedCheckpoint,
  type HyperParameters,
  type PolicyCheckpoint,
  type SnapshotContent,
} from '@a2sf/run-store';
import { ChangeLog } from './change-log.js';
import { UpdateLedger } from './update-ledger.js';
import type { UpdateAnswer } from './learner.js';

/** The numbers that steer learning where a checkpoint does not tell them. */
export const defaultHyperParameters: HyperParameters = { lr: 3e-4, ucbBeta: 1, uncertaintyCoef: 0.1, maxGradNorm: 1 };

/** A policy with all that belongs to it. */
export interface Policy {
  readonly agent: Agent;
  readonly agentName: string;
  hyperParameters: HyperParameters;
  /** What the checkpoint told beside the state, and is told again by the next one. */
  readonly origin: Pick<PolicyCheckpoint, 'encoderId' | 'configHash' | 'randomState' | 'seed'>;
  readonly ledger: UpdateLedger<UpdateAnswer>;
  readonly changes: ChangeLog;
  version: number;
  iteration: number;
}

/** A context and where it comes from. */
export interface FittingInput {
  /** Path of the context in its request, for errors. */
  readonly field: string;
  readonly context: Float32Array;
  readonly encoderId: string;
}

/** How a policy is read. */
export interface ReadOptions extends RestoreOptions {
  /** True: a file without what only learning needs will do. Default false. */
  readonly servingOnly?: boolean;
}

/** A policy of at least version 1, with an empty ledger. Throws DATA_LOSS, FAILED_PRECONDITION for a newer format. */
export function readPolicy(
  input: CheckpointInput,
  file: string,
  given: Partial<HyperParameters>,
  options?: ReadOptions,
): { readonly policy: Policy; readonly warnings: readonly string[] } {
  return withPolicyCheckpoint(input, file, (decoded) => policyOf(decoded, file, given, options));
}

function policyOf(
  { checkpoint, warnings }: DecodedCheckpoint,
  file: string,
  given: Partial<HyperParameters>,
  options: ReadOptions | undefined,
): { readonly policy: Policy; readonly warnings: readonly string[] } {
  if (checkpoint.servingOnly === true && options?.servingOnly !== true) throw servingOnly(file);
  const agent = restoreAgent(checkpoint.state, options);
  const hyperParameters = { ...defaultHyperParameters, ...checkpoint.hyperParameters, ...given };
  requireSane(hyperParameters, file);
  const { encoderId, configHash, randomState, seed } = checkpoint;
  const policy: Policy = {
    agent,
    agentName: checkpoint.state.agent,
    hyperParameters,
    origin: { encoderId, configHash, randomState, ...(seed === undefined ? {} : { seed }) },
    ledger: new UpdateLedger(),
    changes: new ChangeLog(checkpoint.revision),
    version: Math.max(checkpoint.policyVersion, 1),
    iteration: checkpoint.iteration,
  };
  return { policy, warnings };
}

/** A checkpoint that is read while the policy goes on; to be released. */
export interface CheckpointExport extends CheckpointParts {
  readonly release: () => void;
}

/**
 * A checkpoint of a policy as it is now; `iteration` is written in the place of its own; `isForServing`: without what only
 * learning needs.
 */
export function exportOf(
  { agent, origin, hyperParameters, version, iteration: own, changes }: Policy,
  iteration = own,
  isForServing = false,
): CheckpointExport {
  const state = agent.view();
  const parts = policyCheckpointParts({
    ...origin,
    state,
    iteration,
    policyVersion: version,
    hyperParameters,
    ...(isForServing ? { servingOnly: true, revision: changes.revision(version) } : {}),
  });
  return { ...parts, release: () => state.release() };
}

/** The bytes of what changed since a revision; undefined where that is not known or no less than the policy. */
export function changeSince(
  { agent, origin, hyperParameters, version: policyVersion, iteration, changes }: Policy,
  changeOf: string,
): Uint8Array | undefined {
  const steps = changes.since(changeOf, policyVersion);
  const state = steps === undefined ? undefined : agent.change(steps);
  if (state === undefined) return undefined;
  const revision = changes.revision(policyVersion);
  const common = { ...origin, hyperParameters, iteration, policyVersion };
  return encodePolicyCheckpoint({ ...common, state, servingOnly: true, revision, changeOf });
}

/** A policy for serving, or, of what changed since `present`, that with the changes made. Throws as `readPolicy`. */
export function readServed(
  input: CheckpointInput,
  file: string,
  given: Partial<HyperParameters>,
  present: Policy | undefined,
): Policy {
  return withPolicyCheckpoint(input, file, (decoded) => {
    const { state, changeOf, hyperParameters, policyVersion: version, iteration } = decoded.checkpoint;
    if (changeOf === undefined) return policyOf(decoded, file, given, { learns: false, servingOnly: true }).policy;
    if (present?.changes.revision(present.version) !== changeOf) {
      const message = `${file}: holds what changed since another policy than the present one`;
      throw new A2sfError('FAILED_PRECONDITION', message, { reason: 'other-revision' });
    }
    present.agent.follow(state);
    return {
      ...present,
      hyperParameters: { ...present.hyperParameters, ...hyperParameters, ...given },
      version,
      iteration,
    };
  });
}

/** A state that is kept; to be released. */
export interface SavedState extends SnapshotContent {
  readonly release: () => void;
}

export function contentOf(policy: Policy): SavedState {
  const { byteLength, parts, release } = exportOf(policy);
  return { policy: { byteLength, parts }, ledger: policy.ledger.save(), release };
}

/** Throws FAILED_PRECONDITION for a context of another encoder or another dimension than the policy's. */
export function requireFit({ agent, origin }: Policy, { field, context, encoderId }: FittingInput): void {
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

/** Throws FAILED_PRECONDITION unless a policy has the action space of the one that is served. */
export function requireSameSpace(file: string, { agent: present }: Policy, { agent: other }: Policy): void {
  if (present.space.equals(other.space)) return;
  const inWords = ({ space }: Agent) => {
    const budgets = space.budgets.length === 0 ? '' : ` x budget [${space.budgets.join(', ')}]`;
    return `a [${space.aValues.join(', ')}] x b [${space.bValues.join(', ')}]${budgets}`;
  };
  const message = `${file}: has the action space ${inWords(other)}, this server was started with ${inWords(present)}`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'action_space', reason: 'other-action-space' });
}

function servingOnly(file: string): A2sfError {
  const message = `${file}: was made for serving only and lacks what learning needs; export it without serving_only`;
  return new A2sfError('FAILED_PRECONDITION', message, { field: 'serving_only', reason: 'serving-only-checkpoint' });
}

function requireSane({ lr, ucbBeta, maxGradNorm, stepsPerUpdate = 1 }: HyperParameters, file: string): void {
  const isStepCount = Number.isInteger(stepsPerUpdate) && stepsPerUpdate >= 1 && stepsPerUpdate <= maxStepsPerUpdate;
  const problem = [
    lr > 0 ? undefined : 'lr must be positive',
    maxGradNorm > 0 ? undefined : 'max_grad_norm must be positive',
    isStepCount ? undefined : `steps_per_update must be a whole number in 1..${maxStepsPerUpdate}`,
    ucbBeta >= 0 && ucbBeta <= maxBeta ? undefined : `ucb_beta must be in 0..${maxBeta}`,
  ].find((each) => each !== undefined);
  if (problem !== undefined)
    throw new A2sfError('DATA_LOSS', `${file}: metadata ${problem}`, { reason: 'damaged-checkpoint' });
}

/** An identity from outside, safe to print. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
