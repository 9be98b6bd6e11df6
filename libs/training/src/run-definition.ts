import { createHash } from 'node:crypto';
import { spaceOfState, type PolicyState } from '@a2sf/bandit';
import { A2sfError } from '@a2sf/errors';
import type { ActionSpace } from '@a2sf/kv-compression';
import type { HyperParameters } from '@a2sf/run-store';
import type { GenerationSettings } from './generation.js';
import type { Feedback } from './iteration.js';

/** Everything that the numbers of a run follow from, its length excepted: two equal definitions give equal numbers. */
export interface RunDefinition {
  readonly seed: number;
  readonly agent: string;
  /** Width of both hidden layers; absent for the default. */
  readonly hidden?: number;
  readonly hyperParameters: HyperParameters;
  readonly episodesPerUpdate: number;
  /** Absent for `bandit`, which runs had before there was a choice: their names stay. */
  readonly feedback?: Exclude<Feedback, 'bandit'>;
  /** Name of the reward. */
  readonly reward: string;
  /** Reward that keeping every key of a prompt costs; absent where keys cost nothing. */
  readonly keyPrice?: number;
  readonly generation: GenerationSettings;
  readonly aValues: readonly number[];
  readonly bValues: readonly number[];
  /** Absent where the budget is no part of an action. */
  readonly budgets?: readonly number[];
  readonly identities: RunIdentities;
}

/** Who took part: a resumed run must meet the same ones. */
export interface RunIdentities {
  /** Identity of the language model. */
  readonly modelId: string;
  /** Identity of the encoder of the contexts. */
  readonly encoderId: string;
  /** Hash of the training and of the evaluation prompts. */
  readonly trainHash: string;
  readonly evaluationHash: string;
}

/** SHA-256 of a definition, hexadecimal. */
export function definitionHash(definition: RunDefinition): string {
  return createHash('sha256').update(canonical(definition)).digest('hex');
}

/** The run's name in update and experience ids: it follows from the definition, so that a resumed run has the same. */
export function runIdOf(definition: RunDefinition): string {
  return `${definitionHash(definition).slice(0, 16)}-${definition.seed}`;
}

const identityNames: Readonly<Record<keyof RunIdentities, string>> = {
  modelId: 'model_id',
  encoderId: 'encoder_id',
  trainHash: 'train_hash',
  evaluationHash: 'evaluation_hash',
};

/** Throws FAILED_PRECONDITION naming both when a resumed run meets another model, encoder or data than it began with. */
export function requireSameIdentities(begun: RunIdentities, met: RunIdentities): void {
  for (const key of Object.keys(identityNames) as (keyof RunIdentities)[]) {
    if (begun[key] === met[key]) continue;
    const field = identityNames[key];
    const message = `${field}: the run began with ${begun[key]}, now it is ${met[key]}; resume with the same, or start a new run`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field, reason: 'another-run' });
  }
}

/** Throws FAILED_PRECONDITION when a resumed run asks for other actions than its checkpoint was made for. */
export function requireSameSpace(state: PolicyState, space: ActionSpace): void {
  const made = spaceOfState(state);
  if (made.equals(space)) return;
  const flags = made.budgets.length + space.budgets.length === 0 ? 'a_values, b_values' : 'a_values, b_values, budgets';
  const message = `${flags}: the checkpoint was made for another action space, ${made.toString()}; resume with these, or start a new run`;
  throw new A2sfError('FAILED_PRECONDITION', message, { field: 'a_values', reason: 'another-action-space' });
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`).join(',')}}`;
}
