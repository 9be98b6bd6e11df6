import { A2sfError } from '@a2sf/errors';

/** A named array of a policy: row-major; measures are single precision, counts and offsets whole numbers. */
export interface StateTensor {
  readonly shape: readonly number[];
  /** All elements. Where there is `part`, they are made anew each time they are asked for. */
  readonly data: Float32Array | BigInt64Array;
  /** Of measures that lie elsewhere: `count` elements from `start`, valid until the next part is asked for. */
  readonly part?: (start: number, count: number) => Float32Array;
}

/** All that a policy has learned, under the tensor names of a checkpoint. Plain data: it may cross threads. */
export interface PolicyState {
  /** Name of the learning algorithm, a key of the registry. */
  readonly agent: string;
  /** Optimizer steps taken. */
  readonly optimizerStep: number;
  readonly tensors: ReadonlyMap<string, StateTensor>;
}

/** A state that is read while its agent learns on: what it shares with the agent stays as it was until it is released. */
export interface PolicyView extends PolicyState {
  release(): void;
}

/** DATA_LOSS: a tensor of a stored policy is missing or cannot be right. */
export function damagedState(tensor: string, problem: string): A2sfError {
  return new A2sfError('DATA_LOSS', `tensor ${tensor}: ${problem}`, { field: tensor, reason: 'damaged-checkpoint' });
}

/** Reads the tensors of a stored policy, checking presence, type, shape and that every number is finite. */
export class StateReader {
  readonly #tensors: ReadonlyMap<string, StateTensor>;

  constructor(state: PolicyState) {
    this.#tensors = state.tensors;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** A tensor as it is. */
  tensor(name: string): StateTensor {
    return this.#get(name);
  }

  /** Names of the tensors that start with `prefix`, without it, sorted. */
  names(prefix: string): string[] {
    const names = [...this.#tensors.keys()].filter((name) => name.startsWith(prefix));
    return names.map((name) => name.slice(prefix.length)).sort();
  }

  /** The shape of a tensor that must have `rank` dimensions, none of them 0. */
  shape(name: string, rank: number): readonly number[] {
    const { shape } = this.#get(name);
    if (shape.length !== rank || shape.includes(0)) {
      throw damagedState(name, `has shape [${shape.join(', ')}], expected ${rank} dimensions`);
    }
    return shape;
  }

  /** A copy of a tensor of finite numbers. */
  floats(name: string, shape: readonly number[]): Float32Array {
    const data = this.#filled(name, this.#shaped(name, shape));
    return this.#finite(name, data, 0, data.length).slice();
  }

  /** `count` elements from `start` of a tensor of finite numbers, valid until the next part is asked for. */
  part(name: string, shape: readonly number[], start: number, count: number): Float32Array {
    const tensor = this.#shaped(name, shape);
    if (tensor.part === undefined) return this.#finite(name, this.#filled(name, tensor), start, count);
    return this.#finite(name, tensor.part(start, count), 0, count, start);
  }

  /** A copy of a tensor of whole numbers, each in 0..2^53-1. */
  counts(name: string, shape: readonly number[]): number[] {
    const data = this.#filled(name, this.#shaped(name, shape));
    if (!(data instanceof BigInt64Array)) throw damagedState(name, 'is not of an integer type');
    return Array.from(data, (value) => {
      if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) throw damagedState(name, `holds ${value}`);
      return Number(value);
    });
  }

  #finite(name: string, data: StateTensor['data'], start: number, count: number, before = 0): Float32Array {
    if (!(data instanceof Float32Array)) throw damagedState(name, 'is not of a float type');
    const part = data.subarray(start, start + count);
    const bad = part.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw damagedState(name, `holds ${part[bad]} at ${before + start + bad}`);
    return part;
  }

  #shaped(name: string, shape: readonly number[]): StateTensor {
    const tensor = this.#get(name);
    if (tensor.shape.length !== shape.length || tensor.shape.some((length, i) => length !== shape[i])) {
      throw damagedState(name, `has shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`);
    }
    return tensor;
  }

  #filled(name: string, { shape, data }: StateTensor): StateTensor['data'] {
    if (data.length === shape.reduce((product, length) => product * length, 1)) return data;
    throw damagedState(name, `holds ${data.length} numbers, which do not fill [${shape.join(', ')}]`);
  }

  #get(name: string): StateTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw damagedState(name, 'is missing');
    return tensor;
  }
}
