import type { SparseVector } from '../sparse-vector.js';
import { damagedState, type StateReader, type StateTensor } from '../policy-state.js';
import { packedLength } from '../cholesky.js';
import { inversesTensor, sumsTensor } from './covariance-tensors.js';
import { StepLog, type MatrixSteps } from './matrix-steps.js';
import { Rooms } from './matrix-room.js';
import { SymmetricInverse, type Lease } from './symmetric-inverse.js';

/** What additions did to the precision of the matrices. */
export interface Health {
  /** Largest drift that was measured, an estimate of ||L L^-1 - I||_F / sqrt(h); undefined: none was due. */
  readonly drift: number | undefined;
  /** Matrices that were computed anew. */
  readonly rebuilt: number;
}

/**
 * L_a^-1 of every action a, L_a = lambda I + sum of z z' over the contexts in which a was tried. Actions with equal
 * matrices share one until an addition to one of them parts them.
 *
 * In a state: `inverse_lambdas` [A, h, h], or [1, h, h] where all actions share one that was added to; `lambdas`
 * [2, A or 1, h (h + 1) / 2], the lower halves of L_a as high and low parts (their sum is the number), zeros where L_a is not
 * held. A state without `lambdas` is read; L_a is then computed from L_a^-1 on the first addition.
 */
export class InverseCovariances {
  readonly actions: number;
  readonly width: number;
  readonly #matrices: SymmetricInverse[];
  readonly #rooms: Rooms;
  readonly #steps = new StepLog();

  private constructor(width: number, matrices: SymmetricInverse[], rooms: Rooms) {
    this.actions = matrices.length;
    this.width = width;
    this.#matrices = matrices;
    this.#rooms = rooms;
  }

  /** I / lambda for every action. */
  static initial(actions: number, width: number, lambda: number): InverseCovariances {
    const rooms = new Rooms(actions, width, true);
    const shared = SymmetricInverse.multiple(width, 1 / lambda, () => rooms.take(0));
    const matrices = Array.from({ length: actions }, () => shared);
    return new InverseCovariances(width, matrices, rooms);
  }

  /** The matrices of a state. `learns` false drops what only additions need. Throws DATA_LOSS. */
  static read(reader: StateReader, actions: number, width: number, learns: boolean): InverseCovariances {
    const [stored] = reader.shape('inverse_lambdas', 3) as [number];
    const count = stored === 1 ? 1 : actions;
    const rooms = new Rooms(actions, width, learns);
    const matrices: SymmetricInverse[] = [];
    const readSum = learns ? sumReader(reader, count, width) : () => new Float64Array();
    for (let a = 0; a < count; a++) {
      const sum = readSum(a);
      const full = reader.part('inverse_lambdas', [count, width, width], a * width * width, width * width);
      for (let i = 0; i < width; i++) {
        const diagonal = full[i * width + i]!;
        if (!(diagonal > 0)) throw damagedState('inverse_lambdas', `holds ${diagonal} on a diagonal`);
      }
      const matrix = SymmetricInverse.of(width, full, sum, () => rooms.take(a));
      const equal = matrices.find(({ multipleOf }) => multipleOf === matrix.multipleOf); // never true of NaN
      matrices.push(equal ?? matrix);
    }
    const all = Array.from({ length: actions }, (_, a) => matrices[count === 1 ? 0 : a]!);
    return new InverseCovariances(width, all, rooms);
  }

  /** The matrix of an action. */
  of(action: number): SymmetricInverse {
    return this.#matrices[action]!;
  }

  /** z' L_a^-1 z */
  quadraticForm(action: number, z: SparseVector): number {
    return this.#matrices[action]!.quadraticForm(z);
  }

  /** L_a += z_n z_n' for each (a, z, count), in their order; `count` is that of the action with this one. */
  add(additions: Iterable<{ readonly action: number; readonly z: SparseVector; readonly count: number }>): Health {
    const health = new HealthRecord();
    for (const { action, z, count } of additions) {
      health.record(this.#own(action).add(z, count, this.#steps.of(action)));
    }
    return health;
  }

  /** The matrix of an action alone. */
  #own(action: number): SymmetricInverse {
    const matrix = this.#matrices[action]!;
    const isShared = this.#matrices.some((other, a) => a !== action && other === matrix);
    if (isShared) this.#matrices[action] = matrix.clone(() => this.#rooms.take(action));
    return this.#matrices[action]!;
  }

  /** What the additions since the last call did; undefined where steps do not tell it. */
  takeSteps(): MatrixSteps | undefined {
    return this.#steps.take();
  }

  /** Takes the steps that the matrices of the same policy took elsewhere. */
  follow({ actions, vectors }: MatrixSteps): void {
    for (const [i, action] of actions.entries()) {
      if (action >= 0) this.#own(action).step(vectors[i]!);
      else for (const matrix of new Set(this.#matrices)) matrix.step(vectors[i]!);
    }
  }

  /** L_a += z_n z_n' for every action and each z, a shared matrix once; `counts` are those of before. */
  addToAll(vectors: readonly SparseVector[], counts: readonly number[]): Health {
    const health = new HealthRecord();
    const all = new Set(this.#matrices);
    if (all.size > 1) this.#steps.breaks(); // shared by some, which a file does not tell
    for (const matrix of all) {
      const before = counts[this.#matrices.indexOf(matrix)]!;
      for (const [n, z] of vectors.entries()) health.record(matrix.add(z, before + n + 1, this.#steps.of(-1)));
    }
    return health;
  }

  /** The tensors of a state: copies, or, while `lease` is held, read from the matrices as they are now. */
  tensors(lease?: Lease): [string, StateTensor][] {
    const [first] = this.#matrices;
    const isOne = Number.isNaN(first!.multipleOf) && this.#matrices.every((matrix) => matrix === first);
    const arrays = (isOne ? [first!] : this.#matrices).map((matrix) => matrix.arrays(lease));
    const tensors: [string, StateTensor][] = [['inverse_lambdas', inversesTensor(arrays, this.width)]];
    if (arrays.some(({ sum }) => sum.length > 0)) tensors.push(['lambdas', sumsTensor(arrays, this.width)]);
    if (lease !== undefined) return tensors;
    return tensors.map(([name, { shape, data }]) => [name, { shape, data }]);
  }
}

/**
 * Reads L of a matrix; empty where it is not held. What it gives is valid until the next one is read: an array for each
 * would leave an allocator with as many megabytes as the matrices take.
 */
function sumReader(reader: StateReader, count: number, width: number): (a: number) => Float64Array {
  const none = new Float64Array();
  if (!reader.has('lambdas')) return () => none;
  const packed = packedLength(width);
  const part = (row: number): Float32Array => reader.part('lambdas', [2, count, packed], row * packed, packed);
  const sum = new Float64Array(packed);
  return (a) => {
    sum.set(part(a));
    const low = part(count + a);
    for (let i = 0; i < packed; i++) sum[i]! += low[i]!;
    if (sum.every((value) => value === 0)) return none;
    for (let i = 0, at = 0; i < width; at += ++i + 1) {
      if (!(sum[at]! > 0)) throw damagedState('lambdas', `holds ${sum[at]} on a diagonal`);
    }
    return sum;
  };
}

class HealthRecord implements Health {
  drift: number | undefined;
  rebuilt = 0;

  record(found: { readonly drift: number; readonly rebuilt: boolean } | undefined): void {
    if (found === undefined) return;
    this.drift = Math.max(this.drift ?? 0, found.drift);
    if (found.rebuilt) this.rebuilt++;
  }
}
