import { createHash } from 'node:crypto';
import { defaultAgent, type PolicyState, type StateTensor } from '@a2sf/bandit';
import { A2sfError } from '@a2sf/errors';
import {
  bytesPerElement,
  layOutSafetensors,
  memorySource,
  readSafetensorsHeader,
  toFloat32,
  withFileSource,
  type ByteSource,
  type DType,
  type FilePart,
  type SafetensorsHeader,
  type TensorInfo,
} from '@a2sf/tensor-files';

/**
 * Newest version of the file format; older ones are read. 2: the action space may have budgets; 3: more than one step
 * per update.
 */
export const checkpointFormatVersion = 3;

/** The oldest version that holds a policy, so that older programs read what they can and refuse the rest. */
function versionFor({ state: { tensors }, hyperParameters: { stepsPerUpdate = 1 } }: PolicyCheckpoint): number {
  if (stepsPerUpdate > 1) return 3;
  return tensors.has('budgets') ? 2 : 1;
}

/** The numbers that steer learning. */
export interface HyperParameters {
  /** Learning rate of Adam. */
  readonly lr: number;
  /** Weight of the exploration bonus. */
  readonly ucbBeta: number;
  /** Regularisation lambda: L_a starts at lambda * I. */
  readonly uncertaintyCoef: number;
  /** Bound of the global gradient norm. */
  readonly maxGradNorm: number;
  /** Adam steps of one update; absent: 1. */
  readonly stepsPerUpdate?: number;
}

/** A policy and where it stands, as a file holds it. */
export interface PolicyCheckpoint {
  readonly state: PolicyState;
  /** Updates applied. */
  readonly iteration: number;
  readonly policyVersion: number;
  /** Identity of the encoder of the contexts; empty when it is not known. */
  readonly encoderId: string;
  /** Hash of the run's config.json; empty when there is none. */
  readonly configHash: string;
  /** State of the trainer's random numbers; empty when there is none. */
  readonly randomState: string;
  /** Seed of the run. */
  readonly seed?: number;
  /** What the file tells; a bare one tells nothing. */
  readonly hyperParameters: Partial<HyperParameters>;
  /** What only learning needs is left out; absent: it is there. */
  readonly servingOnly?: true;
  /** Name of this state of the policy, of a file for serving. */
  readonly revision?: string;
  /** The file holds what changed since the state of that name, and nothing else. */
  readonly changeOf?: string;
}

/** A checkpoint that was read, with what its user should know. */
export interface DecodedCheckpoint {
  readonly checkpoint: PolicyCheckpoint;
  readonly warnings: readonly string[];
}

/** Optimizer moments, and the sums behind the inverse covariances. */
const learningTensor = /^(optimizer\..*|lambdas)$/;

const floatTypes: ReadonlySet<DType> = new Set(['F64', 'F32', 'F16', 'BF16']);

const hyperParameterKeys = {
  lr: 'lr',
  ucbBeta: 'ucb_beta',
  uncertaintyCoef: 'uncertainty_coef',
  maxGradNorm: 'max_grad_norm',
  stepsPerUpdate: 'steps_per_update',
} as const satisfies Record<keyof HyperParameters, string>;

/** The bytes of a checkpoint, made a part at a time. */
export interface CheckpointParts {
  readonly byteLength: number;
  /** Each part is valid until the next is asked for; empty ones come while the content is hashed. */
  readonly parts: () => IterableIterator<Uint8Array>;
}

/**
 * The bytes of `policy_N.safetensors`: the state's tensors; everything else as text in the metadata; `sha256` over both.
 * With `servingOnly`, the tensors that only learning needs are left out and the metadata say so.
 * Equal checkpoints give equal bytes. Throws INVALID_ARGUMENT for a number that is not whole or not finite.
 */
export function encodePolicyCheckpoint(checkpoint: PolicyCheckpoint): Uint8Array {
  const { byteLength, parts } = policyCheckpointParts(checkpoint);
  const bytes = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts()) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** The same a part at a time; a state that is made as it is read is read twice. Throws as `encodePolicyCheckpoint`. */
export function policyCheckpointParts(checkpoint: PolicyCheckpoint): CheckpointParts {
  const { state, hyperParameters, seed } = checkpoint;
  const tensors = new Map<string, Content>();
  for (const [name, tensor] of state.tensors) {
    if (checkpoint.servingOnly === true && learningTensor.test(name)) continue;
    const { shape, part } = tensor;
    if (part !== undefined)
      tensors.set(name, { dtype: 'F32', shape, read: (start, count) => bytesOf(part(start, count)) });
    else tensors.set(name, heldContent(tensor));
  }
  const metadata: Record<string, string> = {
    format_version: String(versionFor(checkpoint)),
    agent: state.agent,
    iteration: wholeText('iteration', checkpoint.iteration),
    optimizer_step: wholeText('optimizer_step', state.optimizerStep),
    policy_version: wholeText('policy_version', checkpoint.policyVersion),
    encoder_id: checkpoint.encoderId,
    config_hash: checkpoint.configHash,
    random_state: checkpoint.randomState,
  };
  if (checkpoint.servingOnly === true) metadata['serving_only'] = 'true';
  if (checkpoint.revision !== undefined) metadata['revision'] = checkpoint.revision;
  if (checkpoint.changeOf !== undefined) metadata['change_of'] = checkpoint.changeOf;
  if (seed !== undefined) metadata['seed'] = wholeText('seed', seed);
  for (const [key, name] of Object.entries(hyperParameterKeys)) {
    const value = hyperParameters[key as keyof HyperParameters];
    if (value === undefined) continue;
    if (!Number.isFinite(value)) throw A2sfError.invalid(name, 'must be finite');
    metadata[name] = String(value);
  }
  const { fileBytes } = layOutSafetensors(tensors, { ...metadata, sha256: '0'.repeat(64) });
  function* parts(): Generator<Uint8Array, void, undefined> {
    const hash = createHash('sha256');
    for (const part of hashedParts(metadata, tensors)) {
      hash.update(part);
      yield nothing;
    }
    const layout = layOutSafetensors(tensors, { ...metadata, sha256: hash.digest('hex') });
    yield layout.head;
    for (const name of layout.tensors.keys()) yield* contentParts(tensors.get(name)!);
  }
  return { byteLength: fileBytes, parts };
}

/**
 * Reads and verifies a checkpoint; `file` is its name in errors. A file without our metadata, such as one written by hand,
 * is iteration 0 with a warning. Throws DATA_LOSS for a damaged file, FAILED_PRECONDITION for a newer format.
 */
export function decodePolicyCheckpoint(bytes: Uint8Array, file = 'checkpoint'): DecodedCheckpoint {
  const { checkpoint, warnings } = openPolicyCheckpoint(memorySource(bytes), file);
  const tensors = new Map([...checkpoint.state.tensors].map(([name, { shape, data }]) => [name, { shape, data }]));
  return { checkpoint: { ...checkpoint, state: { ...checkpoint.state, tensors } }, warnings };
}

/** Bytes in memory or in a file. */
export type CheckpointInput = Uint8Array | FilePart;

/**
 * Gives a verified checkpoint to `use`. Of its tensors no copy is held: they are read where they lie, while `use` is at work.
 * Throws as `decodePolicyCheckpoint`, NOT_FOUND or FAILED_PRECONDITION for a file that cannot be read.
 */
export function withPolicyCheckpoint<T>(
  input: CheckpointInput,
  file: string,
  use: (decoded: DecodedCheckpoint) => T,
): T {
  if (input instanceof Uint8Array) return use(openPolicyCheckpoint(memorySource(input), file));
  return withFileSource(input, (source) => use(openPolicyCheckpoint(source, file)));
}

function openPolicyCheckpoint(source: ByteSource, file: string): DecodedCheckpoint {
  const header = readSafetensorsHeader(source, file);
  const { metadata } = header;
  const contents = new Map([...header.tensors].map(([name, info]) => [name, storedContent(info, source)]));
  const isBare = metadata['format_version'] === undefined && metadata['sha256'] === undefined;
  if (!isBare) verify(header, contents, file);
  const whole = (key: string): number => readWhole(metadata[key] ?? '0', key, file);
  const hyperParameters: Partial<Record<keyof HyperParameters, number>> = {};
  for (const [key, name] of Object.entries(hyperParameterKeys)) {
    const text = metadata[name];
    if (text === undefined || isBare) continue;
    const value = text === '' ? NaN : Number(text);
    if (!Number.isFinite(value)) throw damagedCheckpoint(file, `metadata ${name} is no number`);
    hyperParameters[key as keyof HyperParameters] = value;
  }
  const state: PolicyState = {
    agent: (isBare ? undefined : metadata['agent']) ?? defaultAgent,
    optimizerStep: isBare ? 0 : whole('optimizer_step'),
    tensors: stateTensors(contents, file),
  };
  const base = { state, hyperParameters };
  if (isBare) {
    const unknown = { iteration: 0, policyVersion: 0, encoderId: '', configHash: '', randomState: '' };
    const warning = `${file}: has no metadata: taken as iteration 0 of an unknown encoder, unverified`;
    return { checkpoint: { ...base, ...unknown }, warnings: [warning] };
  }
  const checkpoint: PolicyCheckpoint = {
    ...base,
    iteration: whole('iteration'),
    policyVersion: whole('policy_version'),
    encoderId: metadata['encoder_id'] ?? '',
    configHash: metadata['config_hash'] ?? '',
    randomState: metadata['random_state'] ?? '',
    ...(metadata['seed'] === undefined ? {} : { seed: whole('seed') }),
    ...(metadata['serving_only'] === 'true' ? { servingOnly: true } : {}),
    ...(metadata['revision'] === undefined ? {} : { revision: metadata['revision'] }),
    ...(metadata['change_of'] === undefined ? {} : { changeOf: metadata['change_of'] }),
  };
  return { checkpoint, warnings: [] };
}

/** A tensor whose bytes are read a part at a time; each part is valid until the next. */
interface Content {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** `count` elements from `start`. */
  readonly read: (start: number, count: number) => Uint8Array;
}

/** Elements of one part: a mebibyte of the widest. */
const partElements = 1 << 17;
const nothing = new Uint8Array();

function heldContent({ shape, data }: StateTensor): Content {
  const dtype = data instanceof Float32Array ? 'F32' : 'I64';
  const size = shape.reduce((product, length) => product * length, 1);
  if (data.length !== size)
    throw A2sfError.invalid('shape', `${data.length} numbers do not fill [${shape.join(', ')}]`);
  return { dtype, shape, read: (start, count) => bytesOf(data.subarray(start, start + count)) };
}

function storedContent({ dtype, shape, offset }: TensorInfo, source: ByteSource): Content {
  const size = bytesPerElement(dtype);
  return { dtype, shape, read: (start, count) => source.read(offset + start * size, count * size) };
}

function bytesOf({ buffer, byteOffset, byteLength }: StateTensor['data']): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function* contentParts({ shape, read }: Content): Generator<Uint8Array, void, undefined> {
  const size = shape.reduce((product, length) => product * length, 1);
  for (let at = 0; at < size; at += partElements) yield read(at, Math.min(partElements, size - at));
}

/**
 * What the SHA-256 is of: for each metadata key but `sha256`, sorted, the JSON line `["key","text"]`; then for each tensor,
 * sorted by name, the JSON line `["name","dtype",[shape]]` and its bytes.
 */
function* hashedParts(
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, Content>,
): Generator<Uint8Array | string, void, undefined> {
  for (const key of Object.keys(metadata).sort()) {
    if (key !== 'sha256') yield `${JSON.stringify([key, metadata[key]])}\n`;
  }
  for (const name of [...tensors.keys()].sort()) {
    const content = tensors.get(name)!;
    yield `${JSON.stringify([name, content.dtype, content.shape])}\n`;
    yield* contentParts(content);
  }
}

function verify({ metadata }: SafetensorsHeader, tensors: ReadonlyMap<string, Content>, file: string): void {
  const version = readWhole(metadata['format_version'] ?? '', 'format_version', file);
  if (version > checkpointFormatVersion) {
    const problem = `has format version ${version}, this program reads up to ${checkpointFormatVersion}`;
    throw new A2sfError('FAILED_PRECONDITION', `${file}: ${problem}`, {
      field: 'format_version',
      reason: 'newer-format',
    });
  }
  const hash = createHash('sha256');
  for (const part of hashedParts(metadata, tensors)) hash.update(part);
  if (metadata['sha256'] !== hash.digest('hex'))
    throw damagedCheckpoint(file, 'its SHA-256 does not match its content');
}

function stateTensors(contents: ReadonlyMap<string, Content>, file: string): Map<string, StateTensor> {
  const result = new Map<string, StateTensor>();
  for (const [name, { dtype, shape, read }] of contents) {
    const size = shape.reduce((product, length) => product * length, 1);
    const elements = (start: number, count: number) => numbersOf(name, dtype, read(start, count), file);
    numbersOf(name, dtype, nothing, file); // refuses a type that no policy holds
    const data = (): StateTensor['data'] => elements(0, size).slice();
    if (floatTypes.has(dtype))
      result.set(name, storedFloats(shape, data, elements as NonNullable<StateTensor['part']>));
    else result.set(name, { shape, data: data() });
  }
  return result;
}

function storedFloats(
  shape: readonly number[],
  all: () => StateTensor['data'],
  part: NonNullable<StateTensor['part']>,
): StateTensor {
  return {
    shape,
    get data() {
      return all();
    },
    part,
  };
}

/** The elements of a tensor as a policy holds them. Throws DATA_LOSS for a type that none has. */
export function numbersOf(name: string, dtype: DType, data: Uint8Array, file: string): StateTensor['data'] {
  const { buffer, byteOffset, byteLength } = data;
  if (dtype === 'I64' || dtype === 'I32') {
    const at = byteOffset % 8 === 0 ? byteOffset : 0; // what is not aligned is copied
    const from = at === byteOffset ? buffer : data.slice().buffer;
    if (dtype === 'I64') return new BigInt64Array(from, at, byteLength / 8);
    return BigInt64Array.from(new Int32Array(from, at, byteLength / 4), BigInt);
  }
  if (floatTypes.has(dtype)) return toFloat32(data, dtype);
  throw damagedCheckpoint(file, `tensor ${name.slice(0, 80)}: a policy holds no ${dtype}`);
}

function wholeText(field: string, value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw A2sfError.invalid(field, 'must be a whole number of at least 0');
  return String(value);
}

function readWhole(text: string, key: string, file: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw damagedCheckpoint(file, `metadata ${key} is no whole number`);
  return value;
}

/** DATA_LOSS: a checkpoint's file is not what it should be. */
export function damagedCheckpoint(file: string, problem: string): A2sfError {
  return new A2sfError('DATA_LOSS', `${file}: ${problem}`, { field: file, reason: 'damaged-checkpoint' });
}
