import { maxBeta, maxContextValue, maxKeyLength } from '@a2sf/bandit';
import type {
  EmbeddingOutput,
  ExperienceOutput,
  SelectActionRequestOutput,
  UpdateRequestOutput,
} from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import type { SelectInput } from './choosing.js';
import type { ExperienceInput, UpdateInput } from './update-ledger.js';

/** Longest embedding. */
const maxDimension = 65_536;

/** Longest list of rewards that is looked at. */
const maxActions = 65_536;

/** Longest id that a client may give, in UTF-16 units. */
const maxIdLength = 128;

/** A request to choose whose fields are checked: with its context, or with the text that is still to be embedded. */
export type SelectOrder =
  SelectInput | { readonly text: string; readonly complete: (e: EmbeddingOutput) => SelectInput };

/** Throws INVALID_ARGUMENT unless a list holds 1..most entries. */
export function requireCount(values: readonly unknown[], field: string, most: number): void {
  if (values.length < 1 || values.length > most) {
    throw A2sfError.invalid(field, `must hold 1..${most} entries, holds ${values.length}`);
  }
}

/** What a request does not tell of its choice. */
export interface DrawnInput {
  /** Number that all randomness of the choice follows from. */
  readonly draw: number;
  /** Ask the challenger too. */
  readonly shadow: boolean;
}

/** Checks every field of a SelectActionRequest; `path` is '' or ends in a dot. Throws INVALID_ARGUMENT. */
export function readSelect(request: SelectActionRequestOutput, drawn: DrawnInput, path = ''): SelectOrder {
  const { beta, epsilon, explore, explain, withLowerBound } = request;
  if (beta !== undefined && !(beta >= 0 && beta <= maxBeta)) {
    throw A2sfError.invalid(`${path}beta`, `must be a number in 0..${maxBeta}`);
  }
  if (epsilon !== undefined && !(epsilon >= 0 && epsilon <= 1)) {
    throw A2sfError.invalid(`${path}epsilon`, 'must be a number in 0..1');
  }
  const asked = { explore, beta, epsilon, explain, withLowerBound, key: readKey(request.key, `${path}key`), ...drawn };
  const complete = (embedding: EmbeddingOutput, field: string): SelectInput => ({
    ...asked,
    field,
    context: readValues(embedding, field),
    encoderId: embedding.encoderId,
    empty: embedding.empty,
  });
  if (request.context === 'embedding' && request.embedding) return complete(request.embedding, `${path}embedding`);
  if (request.context !== 'text' || request.text === undefined) {
    throw A2sfError.invalid(`${path}context`, 'must be given: text or embedding');
  }
  const { text } = request;
  if (text.trim() === '') {
    return { ...asked, field: `${path}text`, context: new Float32Array(), encoderId: '', empty: true };
  }
  return { text, complete: (embedding) => complete(embedding, `${path}text`) };
}

/** Checks every field of an UpdateRequest that can be checked without the policy. Throws INVALID_ARGUMENT. */
export function readUpdate(request: UpdateRequestOutput, maxBatch: number): UpdateInput {
  requireId(request.updateId, 'update_id');
  requireCount(request.experiences, 'experiences', maxBatch);
  const seen = new Set<string>();
  const experiences = request.experiences.map((experience, i) => {
    const read = readExperience(experience, `experiences[${i}]`);
    if (seen.has(read.id))
      throw A2sfError.invalid(`experiences[${i}].id`, 'is that of another experience of the batch');
    seen.add(read.id);
    return read;
  });
  const isFull = experiences[0]!.rewards !== undefined;
  const other = experiences.findIndex(({ rewards }) => (rewards !== undefined) !== isFull);
  if (other >= 0) {
    const problem = 'must be given for all experiences of an update or for none';
    throw A2sfError.invalid(`experiences[${other}].rewards`, problem);
  }
  return { updateId: request.updateId, experiences };
}

function readExperience(experience: ExperienceOutput, field: string): ExperienceInput {
  const { id, embedding, actionIndex, reward, rewards } = experience;
  requireId(id, `${field}.id`);
  if (embedding === null) throw A2sfError.invalid(`${field}.embedding`, 'must be given');
  const isFull = rewards.length > 0;
  if (isFull) {
    if (rewards.length > maxActions)
      throw A2sfError.invalid(`${field}.rewards`, `must hold at most ${maxActions} numbers`);
    for (const [a, each] of rewards.entries()) requireReward(each, `${field}.rewards[${a}]`);
  } else {
    requireReward(reward, `${field}.reward`);
  }
  const context = readValues(embedding, `${field}.embedding`);
  const key = readKey(experience.key, `${field}.key`);
  return {
    field,
    id,
    context,
    encoderId: embedding.encoderId,
    actionIndex: isFull ? 0 : actionIndex,
    reward: isFull ? 0 : reward,
    ...(key === undefined ? {} : { key }),
    ...(isFull ? { rewards: Float32Array.from(rewards) } : {}),
  };
}

function requireReward(reward: number, field: string): void {
  if (!(reward >= 0 && reward <= 1)) throw A2sfError.invalid(field, 'must be a number in 0..1');
}

/** An empty name is none. */
function readKey(key: string, field: string): string | undefined {
  if (key.length > maxKeyLength) {
    throw A2sfError.invalid(field, `must have at most ${maxKeyLength} characters, has ${key.length}`);
  }
  return key === '' ? undefined : key;
}

function readValues({ values }: EmbeddingOutput, field: string): Float32Array {
  if (values.length > maxDimension) {
    throw A2sfError.invalid(`${field}.values`, `must hold at most ${maxDimension} numbers, holds ${values.length}`);
  }
  const context = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!(Math.abs(value) <= maxContextValue)) {
      throw A2sfError.invalid(`${field}.values[${i}]`, `must be a number of at most ${maxContextValue} in magnitude`);
    }
    context[i] = value;
  }
  return context;
}

function requireId(id: string, field: string): void {
  if (id.length < 1 || id.length > maxIdLength) {
    throw A2sfError.invalid(field, `must have 1..${maxIdLength} characters, has ${id.length}`);
  }
}
