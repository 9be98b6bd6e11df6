import { createHash } from 'node:crypto';
import { defaultAgent, type PolicyState, type StateTensor } from '@a2sf/bandit';
import { A2sfError } from '@a2sf/errors';
import {
  encodeSafetensors,
  parseSafetensors,
  toFloat32,
  type DType,
  type SafetensorsContent,
  type Tensor,
} from '@a2sf/tensor-files';

/** Version of the file format that is written; older ones are read. */
export const checkpointFormatVersion = 1;

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
} as const satisfies Record<keyof HyperParameters, string>;

/**
 * The bytes of `policy_N.safetensors`: the state's tensors; everything else as text in the metadata; `sha256` over both.
 * With `servingOnly`, the tensors that only learning needs are left out and the metadata say so.
 * Equal checkpoints give equal bytes. Throws INVALID_ARGUMENT for a number that is not whole or not finite.
 */
export function encodePolicyCheckpoint(checkpoint: PolicyCheckpoint): Uint8Array {
  const { state, hyperParameters, seed } = checkpoint;
  const tensors = new Map<string, Tensor>();
  for (const [name, { shape, data }] of state.tensors) {
    if (checkpoint.servingOnly === true && learningTensor.test(name)) continue;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    tensors.set(name, { dtype: data instanceof Float32Array ? 'F32' : 'I64', shape, data: bytes });
  }
  const metadata: Record<string, string> = {
    format_version: String(checkpointFormatVersion),
    agent: state.agent,
    iteration: wholeText('iteration', checkpoint.iteration),
    optimizer_step: wholeText('optimizer_step', state.optimizerStep),
    policy_version: wholeText('policy_version', checkpoint.policyVersion),
    encoder_id: checkpoint.encoderId,
    config_hash: checkpoint.configHash,
    random_state: checkpoint.randomState,
  };
  if (checkpoint.servingOnly === true) metadata['serving_only'] = 'true';
  if (seed !== undefined) metadata['seed'] = wholeText('seed', seed);
  for (const [key, name] of Object.entries(hyperParameterKeys)) {
    const value = hyperParameters[key as keyof HyperParameters];
    if (value === undefined) continue;
    if (!Number.isFinite(value)) throw A2sfError.invalid(name, 'must be finite');
    metadata[name] = String(value);
  }
  return encodeSafetensors(tensors, { ...metadata, sha256: contentHash({ metadata, tensors }) });
}

/**
 * Reads and verifies a checkpoint; `file` is its name in errors. A file without our metadata, such as one written by hand,
 * is iteration 0 with a warning. Throws DATA_LOSS for a damaged file, FAILED_PRECONDITION for a newer format.
 */
export function decodePolicyCheckpoint(bytes: Uint8Array, file = 'checkpoint'): DecodedCheckpoint {
  const content = parseSafetensors(bytes, file);
  const { metadata } = content;
  const isBare = metadata['format_version'] === undefined && metadata['sha256'] === undefined;
  if (!isBare) verify(content, file);
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
    tensors: stateTensors(content.tensors, file),
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
  };
  return { checkpoint, warnings: [] };
}

/**
 * SHA-256, in hexadecimal, of: for each metadata key but `sha256`, sorted, the JSON line `["key","text"]`; then for each
 * tensor, sorted by name, the JSON line `["name","dtype",[shape]]` and its bytes.
 */
function contentHash({ metadata, tensors }: SafetensorsContent): string {
  const hash = createHash('sha256');
  for (const key of Object.keys(metadata).sort()) {
    if (key !== 'sha256') hash.update(`${JSON.stringify([key, metadata[key]])}\n`);
  }
  for (const name of [...tensors.keys()].sort()) {
    const { dtype, shape, data } = tensors.get(name)!;
    hash.update(`${JSON.stringify([name, dtype, shape])}\n`).update(data);
  }
  return hash.digest('hex');
}

function verify(content: SafetensorsContent, file: string): void {
  const { metadata } = content;
  const version = readWhole(metadata['format_version'] ?? '', 'format_version', file);
  if (version > checkpointFormatVersion) {
    const problem = `has format version ${version}, this program reads up to ${checkpointFormatVersion}`;
    throw new A2sfError('FAILED_PRECONDITION', `${file}: ${problem}`, {
      field: 'format_version',
      reason: 'newer-format',
    });
  }
  if (metadata['sha256'] !== contentHash(content))
    throw damagedCheckpoint(file, 'its SHA-256 does not match its content');
}

function stateTensors(tensors: ReadonlyMap<string, Tensor>, file: string): Map<string, StateTensor> {
  const result = new Map<string, StateTensor>();
  for (const [name, { dtype, shape, data }] of tensors) {
    result.set(name, { shape, data: numbersOf(name, dtype, data, file) });
  }
  return result;
}

/** The elements of a tensor as a policy holds them. Throws DATA_LOSS for a type that none has. */
export function numbersOf(name: string, dtype: DType, data: Uint8Array, file: string): StateTensor['data'] {
  const { buffer, byteOffset, byteLength } = data;
  if (dtype === 'I64') return new BigInt64Array(buffer, byteOffset, byteLength / 8);
  if (dtype === 'I32') return BigInt64Array.from(new Int32Array(buffer, byteOffset, byteLength / 4), BigInt);
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
