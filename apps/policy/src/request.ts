import { maxBeta, maxContextValue } from '@a2sf/bandit';
import type {
  EmbeddingOutput,
  ExperienceOutput,
  SelectActionRequestOutput,
  UpdateRequestOutput,
} from '@a2sf/contracts';
import { A2sfError } from '@a2sf/errors';
import type { SelectInput } from './learner.js';
import type { ExperienceInput, UpdateInput } from './update-ledger.js';

/** Longest embedding. */
const maxDimension = 65_536;

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

/** Checks every field of a SelectActionRequest; `path` is '' or ends in a dot. Throws INVALID_ARGUMENT. */
export function readSelect(request: SelectActionRequestOutput, path = ''): SelectOrder {
  const { beta, explore } = request;
  if (beta !== undefined && !(beta >= 0 && beta <= maxBeta)) {
    throw A2sfError.invalid(`${path}beta`, `must be a number in 0..${maxBeta}`);
  }
  const complete = (embedding: EmbeddingOutput, field: string): SelectInput => ({
    field,
    context: readValues(embedding, field),
    encoderId: embedding.encoderId,
    empty: embedding.empty,
    explore,
    beta,
  });
  if (request.context === 'embedding' && request.embedding) return complete(request.embedding, `${path}embedding`);
  if (request.context !== 'text' || request.text === undefined) {
    throw A2sfError.invalid(`${path}context`, 'must be given: text or embedding');
  }
  const { text } = request;
  if (text.trim() === '') {
    return { field: `${path}text`, context: new Float32Array(), encoderId: '', empty: true, explore, beta };
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
  return { updateId: request.updateId, experiences };
}

function readExperience({ id, embedding, actionIndex, reward }: ExperienceOutput, field: string): ExperienceInput {
  requireId(id, `${field}.id`);
  if (embedding === null) throw A2sfError.invalid(`${field}.embedding`, 'must be given');
  if (!(reward >= 0 && reward <= 1)) throw A2sfError.invalid(`${field}.reward`, 'must be a number in 0..1');
  const context = readValues(embedding, `${field}.embedding`);
  return { field, id, context, encoderId: embedding.encoderId, actionIndex, reward };
}

function readValues({ values }: EmbeddingOutput, field: string): Float32Array {
  if (values.length > maxDimension) {
    throw A2sfError.invalid(`${field}.values`, `must hold at most ${maxDimension} numbers, holds ${values.length}`);
  }
  const bad = values.findIndex((value) => !(Math.abs(value) <= maxContextValue));
  if (bad >= 0) {
    throw A2sfError.invalid(`${field}.values[${bad}]`, `must be a number of at most ${maxContextValue} in magnitude`);
  }
  return Float32Array.from(values);
}

function requireId(id: string, field: string): void {
  if (id.length < 1 || id.length > maxIdLength) {
    throw A2sfError.invalid(field, `must have 1..${maxIdLength} characters, has ${id.length}`);
  }
}
