import { basename } from 'node:path';
import { defaultAgent, restoreAgent, type PolicyState, type StateTensor } from '@a2sf/bandit';
import { A2sfError, isA2sfError } from '@a2sf/errors';
import {
  isTorchFile,
  openTorchFile,
  readTorchTensor,
  TorchObject,
  TorchTensor,
  verifyTorchFile,
  type TorchFile,
  type TorchValue,
} from '@a2sf/tensor-files';
import { damagedCheckpoint, numbersOf, type DecodedCheckpoint, type HyperParameters } from './policy-checkpoint.js';

/** A value of a config record. */
export type ConfigValue = null | boolean | number | string | readonly ConfigValue[];

/** A checkpoint of the reference, with the record of its run. */
export interface TorchCheckpoint extends DecodedCheckpoint {
  /** The fields of the run's config; a tensor is the list of its numbers. What is no plain value is left out. */
  readonly config: ReadonlyMap<string, ConfigValue>;
}

type Dict = ReadonlyMap<TorchValue, TorchValue>;

/** Tensors of the policy that are not learned by the optimizer. */
const buffers: ReadonlySet<string> = new Set(['a_values', 'b_values', 'inverse_lambdas', 'action_counts']);

/** What Adam is here; another one in the file goes on otherwise than it would have there. */
const adam: readonly (readonly [string, ConfigValue])[] = [
  ['betas', [0.9, 0.999]],
  ['eps', 1e-8],
  ['weight_decay', 0],
  ['amsgrad', false],
  ['maximize', false],
];

/** Most entries of a list in a config record. */
const maxListLength = 4096;

/** True for a file of PyTorch, by its name or its first bytes. Throws NOT_FOUND or FAILED_PRECONDITION. */
export function isTorchCheckpoint(path: string): boolean {
  return isTorchFile(path);
}

/**
 * Reads a checkpoint of the reference (its trainer's `policy_N.pt`): `policy_state_dict` and Adam's moments in
 * `optimizer_state_dict`, with the parameters in the order of their names there; `config`, an instance of a class or a
 * dict, as plain data. A file without `iteration`, such as its `policy_final.pt`, is iteration 0 with a warning. Nothing
 * in the file is executed.
 *
 * @throws A2sfError NOT_FOUND; FAILED_PRECONDITION for what is no policy or asks for code to be run; DATA_LOSS for a
 * damaged file, also when a bit of a tensor differs from its CRC-32.
 */
export function readTorchCheckpoint(path: string): TorchCheckpoint {
  const name = basename(path);
  const file = openTorchFile(path);
  const root = file.tree;
  const weights = isDict(root) ? root.get('policy_state_dict') : undefined;
  if (!isDict(root) || !isDict(weights)) {
    const message = `${name}: is no checkpoint of a policy: it has no policy_state_dict`;
    throw new A2sfError('FAILED_PRECONDITION', message, { field: name, reason: 'no-policy' });
  }
  verifyTorchFile(file);
  const reader = new TensorReader(file, name);
  const tensors = new Map<string, StateTensor>();
  for (const [key, tensor] of weights) {
    if (typeof key === 'string' && tensor instanceof TorchTensor) tensors.set(key, reader.tensor(key, tensor));
  }
  const parameters = [...tensors.keys()].filter((key) => !buffers.has(key));
  const optimizer = readOptimizer(root.get('optimizer_state_dict'), parameters, reader);
  for (const [key, tensor] of optimizer.moments) tensors.set(key, tensor);
  const state: PolicyState = { agent: defaultAgent, optimizerStep: optimizer.step, tensors };
  requireRestorable(state, name);
  const config = readConfig(root.get('config'), reader);
  const iteration = readIteration(root.get('iteration'), name);
  const seed = config.get('seed');
  const warnings = [
    ...(iteration === undefined ? [`${name}: tells no iteration: taken as iteration 0`] : []),
    ...optimizer.warnings.map((warning) => `${name}: ${warning}`),
  ];
  return {
    checkpoint: {
      state,
      iteration: iteration ?? 0,
      policyVersion: 0,
      encoderId: '',
      configHash: '',
      randomState: '',
      ...(isWhole(seed) ? { seed } : {}),
      hyperParameters: readHyperParameters(config, optimizer.lr),
    },
    warnings,
    config,
  };
}

/** Reads tensors of one file. */
class TensorReader {
  readonly #file: TorchFile;
  readonly #name: string;

  constructor(file: TorchFile, name: string) {
    this.#file = file;
    this.#name = name;
  }

  tensor(key: string, tensor: TorchTensor): StateTensor {
    const bytes = readTorchTensor(this.#file, tensor);
    return { shape: tensor.shape, data: numbersOf(key, tensor.dtype, bytes, this.#name) };
  }

  /** The numbers of a tensor, as far as a number holds them. */
  numbers(key: string, tensor: TorchTensor): number[] {
    return Array.from<number | bigint, number>(this.tensor(key, tensor).data, Number);
  }

  fail(problem: string): A2sfError {
    return damagedCheckpoint(this.#name, problem);
  }
}

interface Optimizer {
  readonly step: number;
  /** Under the names of our checkpoints. */
  readonly moments: ReadonlyMap<string, StateTensor>;
  readonly lr: number | undefined;
  readonly warnings: readonly string[];
}

/** Adam's state dict: `param_groups[].params` lists the keys of `state` in the order of the parameters. */
function readOptimizer(value: TorchValue | undefined, parameters: readonly string[], reader: TensorReader): Optimizer {
  if (value === undefined || value === null) {
    const warnings = ['has no optimizer_state_dict: the optimizer begins anew'];
    return { step: 0, moments: new Map(), lr: undefined, warnings };
  }
  const states = isDict(value) ? value.get('state') : undefined;
  const groups = isDict(value) ? value.get('param_groups') : undefined;
  if (!isDict(states) || !isList(groups) || !groups.every(isDict)) throw reader.fail('optimizer_state_dict is no Adam');
  const keys = groups.flatMap((group) => {
    const params = group.get('params');
    return isList(params) ? params : [];
  });
  if (keys.length !== parameters.length) {
    throw reader.fail(`its optimizer has ${keys.length} parameters, its policy ${parameters.length}`);
  }
  const moments = new Map<string, StateTensor>();
  const steps = new Set<number>();
  for (const [i, parameter] of parameters.entries()) {
    const state = states.get(keys[i]!);
    if (state === undefined) continue; // never stepped; that only some were is told when the policy is restored
    if (!isDict(state)) throw reader.fail(`the optimizer state of ${parameter} is no dict`);
    steps.add(readStep(state.get('step'), parameter, reader));
    for (const moment of ['exp_avg', 'exp_avg_sq']) {
      const tensor = state.get(moment);
      if (!(tensor instanceof TorchTensor)) throw reader.fail(`the optimizer state of ${parameter} has no ${moment}`);
      const key = `optimizer.${moment}.${parameter}`;
      moments.set(key, reader.tensor(key, tensor));
    }
  }
  if (steps.size > 1) throw reader.fail(`its parameters stand at different optimizer steps: ${[...steps].join(', ')}`);
  const [step = 0] = steps;
  const lr = groups[0]?.get('lr');
  return { step, moments, lr: typeof lr === 'number' ? lr : undefined, warnings: groups.flatMap(otherAdam) };
}

function readStep(value: TorchValue | undefined, parameter: string, reader: TensorReader): number {
  const isScalar = value instanceof TorchTensor && value.shape.length === 0;
  const step = isScalar ? reader.numbers('step', value)[0] : value;
  if (!isWhole(step)) throw reader.fail(`the optimizer step of ${parameter} is no whole number`);
  return step;
}

/** What a group of parameters is optimized by that our Adam does not do. */
function otherAdam(group: Dict): string[] {
  return adam.flatMap(([key, ours]) => {
    const theirs = group.get(key);
    return theirs === undefined || isSame(theirs, ours)
      ? []
      : [`its optimizer has another ${key} than ${JSON.stringify(ours)}, which is used from here on`];
  });
}

function readIteration(value: TorchValue | undefined, file: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isWhole(value)) throw damagedCheckpoint(file, 'its iteration is no whole number');
  return value;
}

function readConfig(value: TorchValue | undefined, reader: TensorReader): ReadonlyMap<string, ConfigValue> {
  const fields = value instanceof TorchObject ? value.state : value;
  const config = new Map<string, ConfigValue>();
  if (!isDict(fields)) return config;
  for (const [key, field] of fields) {
    const plain = typeof key === 'string' ? plainValue(key, field, reader) : undefined;
    if (plain !== undefined) config.set(key as string, plain);
  }
  return config;
}

/** Undefined for what a flag cannot be. */
function plainValue(key: string, value: TorchValue, reader: TensorReader): ConfigValue | undefined {
  if (value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') {
    return value;
  }
  if (value instanceof TorchTensor) {
    const isList = value.shape.length === 1 && value.shape[0]! <= maxListLength;
    return isList && value.dtype !== 'BOOL' ? reader.numbers(key, value) : undefined;
  }
  if (!isList(value) || value.length > maxListLength) return undefined;
  const entries = value.map((entry) => (isList(entry) ? undefined : plainValue(key, entry, reader)));
  return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

function readHyperParameters(
  config: ReadonlyMap<string, ConfigValue>,
  optimizerLr: number | undefined,
): Partial<HyperParameters> {
  const number = (key: string): number | undefined => {
    const value = config.get(key);
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  const all = {
    lr: number('lr') ?? optimizerLr,
    ucbBeta: number('ucb_beta'),
    uncertaintyCoef: number('uncertainty_coef'),
    maxGradNorm: number('max_grad_norm'),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Throws DATA_LOSS, the file named, unless a policy can be made of the state. */
function requireRestorable(state: PolicyState, file: string): void {
  try {
    restoreAgent(state);
  } catch (error) {
    if (!isA2sfError(error)) throw error;
    const { code, message, reason } = error;
    throw new A2sfError(code, `${file}: ${message}`, { field: file, reason, cause: error });
  }
}

function isSame(x: TorchValue, y: ConfigValue): boolean {
  if (!isList(x) || !isList(y)) return x === y;
  return x.length === y.length && x.every((entry, i) => isSame(entry, y[i]!));
}

function isDict(value: TorchValue | undefined): value is Dict {
  return value instanceof Map;
}

function isList(value: TorchValue | undefined): value is readonly TorchValue[] {
  return Array.isArray(value);
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
